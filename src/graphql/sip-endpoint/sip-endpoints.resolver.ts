import { type GraphQLResolveInfo, responsePathAsArray } from "graphql";
import { Args, ArgsType, Ctx, Directive, Field, Info, Int, ObjectType, Query, Resolver } from "type-graphql";
import { GatewayError } from "../../errors.js";
import { type Cursor, decodeCursor, encodeCursor } from "../../piopiy/pagination/cursor.js";
import { type ListSlice, sliceAfter, sliceAt } from "../../piopiy/pagination/list-slice.js";
import type { Context } from "../context.js";
import { MAX_FIRST, REQUEST_COST } from "../cost.js";
import { RequiresScope } from "../scopes.js";
import { SipEndpoint } from "./sip-endpoint.type.js";

@Directive("@shareable")
@ObjectType({ description: "Where a page stands in its list." })
class PageInfo {
  @Field(() => Boolean, { description: "Whether rows follow this page: go on with after: endCursor." })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "Whether rows precede this page." })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "The cursor of the first row; null when the page is empty.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The cursor of the last row; null when the page is empty.",
  })
  endCursor!: string | null;
}

@ObjectType({ description: "A row of a list of SIP endpoints." })
class SipEndpointEdge {
  @Field(() => String, {
    description:
      "The place of this row, to go on from with `after`. Opaque: it is good for this gateway only.",
  })
  cursor!: string;

  @Field(() => SipEndpoint, { description: "The endpoint itself." })
  node!: SipEndpoint;
}

@ObjectType({ description: "A page of the list of SIP endpoints, in PIOPIY's order." })
class SipEndpointConnection {
  @Field(() => [SipEndpointEdge], { description: "The rows with their cursors." })
  edges!: SipEndpointEdge[];

  @Field(() => [SipEndpoint], { description: "The endpoints alone, without cursors." })
  nodes!: SipEndpoint[];

  @Field(() => PageInfo, { description: "Where this page stands in the list." })
  pageInfo!: PageInfo;

  @Field(() => Int, { description: "How many SIP endpoints the PIOPIY account has in all." })
  totalCount!: number;
}

@ArgsType()
class SipEndpointsArgs {
  @Field(() => Int, { defaultValue: 10, description: `How many rows, 1 to ${MAX_FIRST}.` })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description:
      "The cursor of the row after which the page begins, from a page before. Not together with `offset`.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: "How many rows of the list to pass over, 0 or more. Not together with `after`.",
  })
  offset?: number | null;
}

/** The list of all endpoints: walks with `first` and `after`, jumps with `first` and `offset`. */
@Resolver()
export class SipEndpointsResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpointConnection, {
    description:
      "The SIP endpoints of the account, in PIOPIY's order. Walk through them with `after`: endpoints that are created or " +
      "removed meanwhile make the walk neither skip nor repeat another one, or it is CURSOR_EXPIRED. Or jump with `offset`. " +
      "Costs one request to PIOPIY for 10 rows at an offset that is a multiple of 10, and 2 to walk on by 10. What " +
      "spans several of PIOPIY's pages of ten reads each second page twice, to see changes in between: 4 for 25 rows. When the " +
      "rows before a cursor have moved, it is searched for within 500 rows. Each row costs one request more " +
      "when other fields than username and password are asked for.",
  })
  async sipEndpoints(
    @Args(() => SipEndpointsArgs) { first, after, offset }: SipEndpointsArgs,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<SipEndpointConnection> {
    if (first < 1 || first > MAX_FIRST)
      throw argumentError("first", `must be 1 to ${MAX_FIRST}; it is ${first}`);
    if (offset != null && after != null) {
      throw argumentError(
        "after",
        "must not stand together with `offset`: walk with one or jump with the other",
      );
    }
    if (offset != null && offset < 0) throw argumentError("offset", `must be 0 or more; it is ${offset}`);
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
    "must be a cursor that this gateway gave, such as pageInfo.endCursor of the page before",
  );
}

function argumentError(argumentName: string, problem: string): GatewayError {
  return new GatewayError("BAD_USER_INPUT", `\`${argumentName}\` ${problem}.`, { argumentName });
}

function unnamedRowsError(places: readonly number[]): GatewayError {
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY listed ${places.length === 1 ? "a row" : "rows"} without a valid username of their own, at offset ${places.join(", ")}. ` +
      "A username has 1 to 256 bytes, and stands in the list once. These rows are left out; check them at PIOPIY.",
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
