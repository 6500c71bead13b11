import { type GraphQLResolveInfo, responsePathAsArray } from "graphql";
import { Args, Ctx, Info, Query, Resolver } from "type-graphql";
import type { Context } from "../../context.js";
import { GatewayError } from "../../errors.js";
import { type Cursor, decodeCursor, encodeCursor } from "../../piopiy/cursor.js";
import { type Window, windowAfter, windowAt } from "../../piopiy/window.js";
import { charge } from "../charge.js";
import { REQUEST_COST } from "../field-work.js";
import { RequiresScope } from "../requires-scope.js";
import { SipEndpoint } from "./sip-endpoint.type.js";
import { SipEndpointConnection } from "./sip-endpoint-connection.type.js";
import { MAX_FIRST, SipEndpointsArgs } from "./sip-endpoints.args.js";

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
      throw badArgument("first", `must be 1 to ${MAX_FIRST}; it is ${first}`);
    if (offset != null && after != null) {
      throw badArgument(
        "after",
        "must not stand together with `offset`: walk with one or jump with the other",
      );
    }
    if (offset != null && offset < 0) throw badArgument("offset", `must be 0 or more; it is ${offset}`);
    const { piopiy } = context;
    const window =
      after == null
        ? await windowAt(piopiy, offset ?? 0, first)
        : await windowAfter(piopiy, readCursor(after), first, (pages) =>
            charge(context, REQUEST_COST * pages),
          );
    if (window.unnamed.length > 0) {
      context.reportError(unnamedRows(window.unnamed), responsePathAsArray(info.path));
    }
    return toConnection(window);
  }
}

function readCursor(text: string): Cursor {
  const cursor = decodeCursor(text);
  if (cursor) return cursor;
  throw badArgument(
    "after",
    "must be a cursor that this gateway gave, such as pageInfo.endCursor of the page before",
  );
}

function badArgument(argumentName: string, problem: string): GatewayError {
  return new GatewayError("BAD_USER_INPUT", `\`${argumentName}\` ${problem}.`, { argumentName });
}

function unnamedRows(places: readonly number[]): GatewayError {
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY listed ${places.length === 1 ? "a row" : "rows"} without a valid username of their own, at offset ${places.join(", ")}. ` +
      "A username has 1 to 256 bytes, and stands in the list once. These rows are left out; check them at PIOPIY.",
  );
}

function toConnection({ rows, end, hasNext, hasPrevious, total }: Window): SipEndpointConnection {
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
