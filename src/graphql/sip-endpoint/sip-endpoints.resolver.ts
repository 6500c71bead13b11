import { type GraphQLResolveInfo, responsePathAsArray } from "graphql";
import { Args, Ctx, Directive, Field, Info, Int, ObjectType, Query, Resolver } from "type-graphql";
import { GatewayError } from "../../errors.js";
import { type ListSlice, sliceList } from "../../piopiy/pagination/list-slice.js";
import { isByUsername, isListCheaper, searchByUsername, searchList } from "../../piopiy/pagination/search.js";
import type { Context } from "../context.js";
import { REQUEST_COST, SEARCH_REQUEST_COST } from "../cost.js";
import { RequiresScope } from "../scopes.js";
import { checkArguments, positionCursors, readSearch, readSlice, usernameCursors } from "./list-arguments.js";
import { selectsDetails } from "./selected-details.js";
import { DETAIL_COST, DETAIL_NAMES, SipEndpoint } from "./sip-endpoint.type.js";
import { SipEndpointsArgs } from "./sip-endpoints.input.js";

/** How many positions of invalid rows an error message has. */
const MAX_POSITIONS = 100;

@Directive("@shareable")
@ObjectType({ description: "Position of a page in its list." })
class PageInfo {
  @Field(() => Boolean, {
    description: "Whether rows follow this page. To read them, pass `endCursor` as `after`.",
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description:
      "Whether rows precede this page. To read them, pass `startCursor` as `before` and use `last`.",
  })
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
      "Opaque position of the row. To read the next rows, pass the cursor as `after`, and to read the rows before it, as `before`. A " +
      "cursor is valid only for this gateway, and for lists in the same order.",
  })
  cursor!: string;

  @Field(() => SipEndpoint, { description: "The SIP endpoint of the row." })
  node!: SipEndpoint;
}

@ObjectType({ description: "A page of a list of SIP endpoints." })
class SipEndpointConnection {
  @Field(() => [SipEndpointEdge], { description: "Rows of the page, with their cursors." })
  edges!: SipEndpointEdge[];

  @Field(() => [SipEndpoint], { description: "SIP endpoints of the page, without cursors." })
  nodes!: SipEndpoint[];

  @Field(() => PageInfo, { description: "Position of the page in the list." })
  pageInfo!: PageInfo;

  @Field(() => Int, {
    description:
      "Number of the SIP endpoints of the PIOPIY account that match the filter. Without a filter, of all endpoints.",
  })
  totalCount!: number;

  @Field(() => Boolean, {
    description:
      "Whether all SIP endpoints of the account were searched. False if the account has more endpoints than the gateway searches " +
      "for `filter` and `orderBy` (setting `SCAN_MAX_ENDPOINTS`): the rows and `totalCount` then leave out the endpoints after these, in the order in " +
      "which PIOPIY lists them. Always true if the filter has `equals` or `in`, and without `filter` and `orderBy`: such a list is not " +
      "limited.",
  })
  complete!: boolean;
}

/** Lists endpoints: page by page in both directions, from a position, or those that match a filter. */
@Resolver()
export class SipEndpointsResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpointConnection, {
    nullable: true,
    description:
      "Lists the SIP endpoints of the PIOPIY account, in the order in which PIOPIY lists them or ordered by username.\n\n" +
      "To read the whole list, pass `pageInfo.endCursor` of each page as `after` of the next page. To read it from its end, use `last`, and " +
      "pass `pageInfo.startCursor` of each page as `before` of the next one. No endpoint is skipped or " +
      "returned twice, even if other endpoints are created or removed in the meantime. If the gateway cannot ensure this, the " +
      "error is `CURSOR_EXPIRED`: start again without a cursor. To start at a position, use `offset`.\n\n" +
      "PIOPIY's pages have ten rows. If `offset` is a multiple of 10, 10 rows cost one upstream request. The next 10 rows with " +
      "`after` cost two, because the gateway also reads the rows before the cursor to detect changes. A query that needs several " +
      "pages reads every second page twice to detect changes. For example, 25 rows without `after` are on three pages and cost four " +
      `upstream requests, because the second page is read twice. A query that also selects ${DETAIL_NAMES} reads each of these pages twice: ` +
      "so it needs no additional time for the second reads. If rows before the cursor have moved, the gateway searches up to 500 " +
      `rows for them, with more upstream requests. ${DETAIL_COST}\n\n` +
      "PIOPIY cannot search. With `filter` or `orderBy`, the gateway reads the whole list, which costs about three upstream requests per 20 " +
      "endpoints, and then searches in its cache: the next search within `CACHE_TTL_MS` costs no upstream request, whatever its filter. " +
      "A filter with `equals`, and one with `in` and an order, costs at most one upstream request per username. Endpoints of `in` " +
      "that are beyond `SCAN_MAX_ENDPOINTS` cost one upstream request each. Without an order, they are the last rows, in the order of `in`. If the list is too long " +
      "to be read within the deadline of the operation, the error is `UPSTREAM_TIMEOUT`: try again immediately, since the part that was read is cached.\n\n" +
      "Requires the scope `sip:read`.",
  })
  async sipEndpoints(
    @Args(() => SipEndpointsArgs) args: SipEndpointsArgs,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<SipEndpointConnection> {
    const slice = await readRows(args, context, selectsDetails(info));
    if (slice.unnamed.length > 0) {
      context.reportError(unnamedRowsError(slice.unnamed), responsePathAsArray(info.path));
    }
    return toConnection(slice);
  }
}

/** Reads the rows that the arguments request, from PIOPIY's pages or by a search in the whole list. */
async function readRows(
  args: SipEndpointsArgs,
  { piopiy, scanMaxEndpoints, charge }: Context,
  hasDetails: boolean,
): Promise<ListSlice> {
  checkArguments(args);
  const search = readSearch(args, scanMaxEndpoints);
  if (!search || (await isListCheaper(piopiy, search))) {
    const request = readSlice(args, positionCursors);
    const prefetch = hasDetails ? (username: string) => piopiy.prefetch(username) : undefined;
    return sliceList(piopiy, request, (pages) => charge(REQUEST_COST * pages), prefetch);
  }
  const chargeRequests = (requests: number) => charge(SEARCH_REQUEST_COST * requests);
  return isByUsername(search)
    ? searchByUsername(piopiy, search, readSlice(args, usernameCursors), chargeRequests)
    : searchList(piopiy, search, readSlice(args, positionCursors), chargeRequests);
}

function unnamedRowsError(positions: readonly number[]): GatewayError {
  const more = positions.length - MAX_POSITIONS;
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY's list has rows without a valid username, at offset ${positions.slice(0, MAX_POSITIONS).join(", ")}${more > 0 ? ` and ${more} more` : ""}. These rows are omitted. ` +
      "A username must have 1 to 256 bytes and be in the list only once. Check the rows in PIOPIY's console.",
  );
}

function toConnection({
  rows,
  end,
  hasNext,
  hasPrevious,
  total,
  isComplete,
}: ListSlice): SipEndpointConnection {
  const edges = rows.map(({ row, cursor }) => ({
    cursor,
    node: new SipEndpoint(row.username, row.password),
  }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: hasNext,
      hasPreviousPage: hasPrevious,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: end ?? null,
    },
    totalCount: total,
    complete: isComplete,
  };
}
