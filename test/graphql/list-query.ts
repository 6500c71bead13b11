import type { GraphqlResponse, TestGateway } from "../support/gateway/test-gateway.js";

export interface ListArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly offset?: number | null;
  readonly filter?: { readonly username?: UsernameFilter | null } | null;
  readonly orderBy?: { readonly field: "USERNAME"; readonly direction?: "ASC" | "DESC" } | null;
}

export interface UsernameFilter {
  readonly contains?: string | null;
  readonly startsWith?: string | null;
  readonly equals?: string | null;
  readonly in?: readonly string[] | null;
}

export interface List {
  readonly totalCount: number;
  readonly complete: boolean;
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly username: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const QUERY = `query (
  $first: Int, $after: String, $last: Int, $before: String, $offset: Int, $filter: SipEndpointFilter, $orderBy: SipEndpointOrder
) {
  sipEndpoints(
    first: $first, after: $after, last: $last, before: $before, offset: $offset, filter: $filter, orderBy: $orderBy
  ) {
    totalCount
    complete
    edges { cursor node { username } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

/** Requests a slice of the list, and returns data and errors. */
export function queryList(gateway: TestGateway, args: ListArguments) {
  const response: Promise<GraphqlResponse<{ sipEndpoints: List | null }>> = gateway.execute(QUERY, {
    ...args,
  });
  return response;
}

/** Requests a slice of the list, and fails on errors. */
export async function readList(gateway: TestGateway, args: ListArguments): Promise<List> {
  const { data, errors } = await queryList(gateway, args);
  if (!data.sipEndpoints || errors) throw new Error(`No list came: ${JSON.stringify(errors)}`);
  return data.sipEndpoints;
}

/** Returns the usernames of a slice of the list. */
export function usernamesOf({ edges }: List): string[] {
  return edges.map(({ node }) => node.username);
}

/** Returns the usernames that the emulator has after a reset to `count`, from position `from` (inclusive) to `to` (exclusive). */
export function numbered(count: number, from = 0, to = count): string[] {
  const all = Array.from({ length: count }, (_, index) => `user${String(index + 1).padStart(4, "0")}`);
  return all.slice(from, to);
}

/**
 * Returns the pages that are requested for a slice over pages `first` to `last` of `count` rows, in ascending order. Every second
 * page is requested twice, before and after the others, if it is known to have rows.
 */
export function rangePages(first: number, last: number, count: number): number[] {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const hasRows = (number: number) => number === 1 || 10 * (number - 1) < count;
  return numbers.flatMap((number, index) => {
    if (index % 2 === 0) return hasRows(number) || last === first ? [number] : [];
    return hasRows(number) ? [number, number] : [number];
  });
}

/** Returns the numbers of the requested PIOPIY pages, in ascending order. Other requests are returned by operation name. */
export async function requestedPages(gateway: TestGateway): Promise<(number | string)[]> {
  const requests = await gateway.upstreamRequests();
  const requested = requests.map(({ operation, page }) =>
    operation === "list_sip" ? Number(page) : operation,
  );
  return requested.sort((one, other) => Number(one) - Number(other));
}
