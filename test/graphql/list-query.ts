import type { Answer, TestGateway } from "../support/gateway/test-gateway.js";

export interface ListArguments {
  readonly first?: number;
  readonly after?: string | null;
  readonly offset?: number | null;
}

export interface List {
  readonly totalCount: number;
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly username: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const QUERY = `query ($first: Int! = 10, $after: String, $offset: Int) {
  sipEndpoints(first: $first, after: $after, offset: $offset) {
    totalCount
    edges { cursor node { username } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

/** Asks for a part of the list, and leaves it to the caller what to make of errors. */
export function askList(gateway: TestGateway, args: ListArguments) {
  const answer: Promise<Answer<{ sipEndpoints: List } | null>> = gateway.ask(QUERY, { ...args });
  return answer;
}

/** Asks for a part of the list that must be there. */
export async function readList(gateway: TestGateway, args: ListArguments): Promise<List> {
  const { data, errors } = await askList(gateway, args);
  if (!data || errors) throw new Error(`No list came: ${JSON.stringify(errors)}`);
  return data.sipEndpoints;
}

/** The usernames of a part of the list. */
export function usernamesOf({ edges }: List): string[] {
  return edges.map(({ node }) => node.username);
}

/** The usernames that the emulator has after a reset to `count`, from place `from` up to but without `to`. */
export function numbered(count: number, from = 0, to = count): string[] {
  const all = Array.from({ length: count }, (_, index) => `user${String(index + 1).padStart(4, "0")}`);
  return all.slice(from, to);
}

/**
 * The pages that are requested for a window over pages `first` to `last` of `count` rows, in ascending order: each second one before
 * and after the others, where it is known by then to have rows.
 */
export function windowPages(first: number, last: number, count: number): number[] {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const hasRows = (number: number) => number === 1 || 10 * (number - 1) < count;
  return numbers.flatMap((number, index) => {
    if (index % 2 === 0) return hasRows(number) || last === first ? [number] : [];
    return hasRows(number) ? [number, number] : [number];
  });
}

/** The numbers of PIOPIY's pages that were asked for, in ascending order; anything else that was asked comes as its name. */
export async function askedPages(gateway: TestGateway): Promise<(number | string)[]> {
  const calls = await gateway.calls();
  const asked = calls.map(({ operation, page }) => (operation === "list_sip" ? Number(page) : operation));
  return asked.sort((one, other) => Number(one) - Number(other));
}
