import type { TestGateway } from "../support/gateway/test-gateway.js";
import { type List, type ListArguments, readList, usernamesOf } from "./list-query.js";

/** Reads the list page by page with cursors. */
export class ListWalk {
  /** All usernames that were returned, in order. */
  readonly seen: string[] = [];
  #cursor: string | null = null;

  constructor(private readonly gateway: TestGateway) {}

  get cursor(): string | null {
    return this.#cursor;
  }

  /** Reads the first page at `offset`. */
  async beginAt(offset: number, first: number): Promise<List> {
    return this.#take({ offset, first });
  }

  /** Reads the next page, or the first one. */
  async next(first: number): Promise<List> {
    return this.#take({ after: this.#cursor, first });
  }

  /** Reads all remaining pages. */
  async finish(first = 10): Promise<this> {
    while ((await this.next(first)).pageInfo.hasNextPage);
    return this;
  }

  async #take(args: ListArguments): Promise<List> {
    const list = await readList(this.gateway, args);
    this.seen.push(...usernamesOf(list));
    this.#cursor = list.pageInfo.endCursor ?? this.#cursor;
    return list;
  }
}

/** A change of the list: `-alice` removes the endpoint alice, `+alice` creates it. */
export type Change = `+${string}` | `-${string}`;

/** Makes these changes one after another, and throws if one of them fails. */
export async function change(gateway: TestGateway, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const fields = changes.map((text, index) => {
    const field = text.startsWith("+") ? "createSipEndpoint" : "removeSipEndpoint";
    return `c${index}: ${field}(input: { username: "${text.slice(1)}" }) { userErrors { message } }`;
  });
  const { data, errors } = await gateway.execute<Record<string, { userErrors: { message: string }[] }>>(
    `mutation { ${fields.join(" ")} }`,
  );
  const problems = errors ?? Object.values(data).flatMap(({ userErrors }) => userErrors);
  if (problems.length > 0) throw new Error(`The list was not changed: ${JSON.stringify(problems)}`);
}
