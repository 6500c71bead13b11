import { type GraphQLResolveInfo, responsePathAsArray } from "graphql";
import { Args, ArgsType, Ctx, Directive, Field, Info, Int, ObjectType, Query, Resolver } from "type-graphql";
import { argumentError, GatewayError } from "../../errors.js";
import { type Cursor, decodeCursor, encodeCursor } from "../../piopiy/pagination/cursor.js";
import { type ListSlice, sliceAfter, sliceAt } from "../../piopiy/pagination/list-slice.js";
import type { Context } from "../context.js";
import { DEFAULT_FIRST, MAX_FIRST, REQUEST_COST } from "../cost.js";
import { RequiresScope } from "../scopes.js";
import { DETAIL_COST, SipEndpoint } from "./sip-endpoint.type.js";

@Directive("@shareable")
@ObjectType({ description: "Position of a page in its list." })
class PageInfo {
  @Field(() => Boolean, {
    description: "Whether rows follow this page. To read them, pass `endCursor` as `after`.",
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "Whether rows precede this page." })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the first row. Null if the page is empty.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the last row. Null if the page is empty.",
  })
  endCursor!: string | null;
}

@ObjectType({ description: "A row of the list of SIP endpoints." })
class SipEndpointEdge {
  @Field(() => String, {
    description:
      "Opaque position of the row. To read the next rows, pass the cursor as `after`. A cursor is valid only for this gateway.",
  })
  cursor!: string;

  @Field(() => SipEndpoint, { description: "The SIP endpoint of the row." })
  node!: SipEndpoint;
}

@ObjectType({ description: "A page of the list of SIP endpoints, in the order in which PIOPIY lists them." })
class SipEndpointConnection {
  @Field(() => [SipEndpointEdge], { description: "Rows of the page, with their cursors." })
  edges!: SipEndpointEdge[];

  @Field(() => [SipEndpoint], { description: "SIP endpoints of the page, without cursors." })
  nodes!: SipEndpoint[];

  @Field(() => PageInfo, { description: "Position of the page in the list." })
  pageInfo!: PageInfo;

  @Field(() => Int, { description: "Number of all SIP endpoints of the PIOPIY account." })
  totalCount!: number;
}

@ArgsType()
class SipEndpointsArgs {
  @Field(() => Int, {
    nullable: true,
    description: `Number of rows to return, 0 to ${MAX_FIRST}. If omitted or null, ${DEFAULT_FIRST}.`,
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Cursor after which the page begins, such as `pageInfo.endCursor` of the previous page. Cannot be combined with `offset`.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Number of rows to skip at the start of the list, 0 or more. Cannot be combined with `after`. Example: 20.",
  })
  offset?: number | null;
}

/** Lists endpoints: page by page with `first` and `after`, or from a position with `first` and `offset`. */
@Resolver()
export class SipEndpointsResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpointConnection, {
    nullable: true,
    description:
      "Lists the SIP endpoints of the PIOPIY account, in the order in which PIOPIY lists them.\n\n" +
      "To read the whole list, pass `pageInfo.endCursor` of each page as `after` of the next page. No endpoint is skipped or " +
      "returned twice, even if other endpoints are created or removed in the meantime. If the gateway cannot ensure this, the " +
      "error is `CURSOR_EXPIRED`: start again without `after`. To start at a position, use `offset`.\n\n" +
      "PIOPIY's pages have ten rows. If `offset` is a multiple of 10, 10 rows cost one upstream request. The next 10 rows with " +
      "`after` cost two, because the gateway also reads the rows before the cursor to detect changes. A query that needs several " +
      "pages reads every second page twice to detect changes. For example, 25 rows without `after` are on three pages and cost four " +
      "upstream requests, because the second page is read twice. If rows before the cursor have moved, the gateway searches up to 500 " +
      `rows for them, with more upstream requests. ${DETAIL_COST}\n\n` +
      "Requires the scope `sip:read`.",
  })
  async sipEndpoints(
    @Args(() => SipEndpointsArgs) { first: given, after, offset }: SipEndpointsArgs,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<SipEndpointConnection> {
    const first = given ?? DEFAULT_FIRST;
    if (first < 0 || first > MAX_FIRST)
      throw argumentError("first", `must be between 0 and ${MAX_FIRST} (got ${first})`);
    if (offset != null && after != null) {
      throw argumentError(
        "after",
        "cannot be combined with `offset`. Use `after` to read the next page, or `offset` to start at a position",
      );
    }
    if (offset != null && offset < 0) throw argumentError("offset", `must be 0 or more (got ${offset})`);
    const { piopiy } = context;
    const slice =
      after == null
        ? await sliceAt(piopiy, offset ?? 0, first)
        : await sliceAfter(piopiy, parseCursor(after), first, (pages) =>
            context.charge(REQUEST_COST * pages),
          );
    if (slice.unnamed.length > 0) {
      context.reportError(unnamedRowsError(slice.unnamed), responsePathAsArray(info.path));
    }
    return toConnection(slice);
  }
}

function parseCursor(text: string): Cursor {
  const cursor = decodeCursor(text);
  if (cursor) return cursor;
  throw argumentError(
    "after",
    "must be a cursor of this gateway, such as `pageInfo.endCursor` of the previous page. Cursors of version 0.1 are no longer valid",
  );
}

function unnamedRowsError(places: readonly number[]): GatewayError {
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY's list has rows without a valid username, at offset ${places.join(", ")}. These rows are omitted. ` +
      "A username must have 1 to 256 bytes and be in the list only once. Check the rows in PIOPIY's console.",
  );
}

function toConnection({ rows, end, hasNext, hasPrevious, total }: ListSlice): SipEndpointConnection {
  const edges = rows.map(({ row, cursor }) => ({
    cursor: encodeCursor(cursor),
    node: new SipEndpoint(row.username, row.password),
  }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: hasNext,
      hasPreviousPage: hasPrevious,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: end ? encodeCursor(end) : null,
    },
    totalCount: total,
  };
}
