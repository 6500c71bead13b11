import type { TestGateway } from "../support/gateway/test-gateway.js";
import { type List, type ListArguments, readList, usernamesOf } from "./list-query.js";

/** A client that walks through the list page by page. */
export class ListWalk {
  /** All usernames that came, in their order. */
  readonly seen: string[] = [];
  #cursor: string | null = null;

  constructor(private readonly gateway: TestGateway) {}

  get cursor(): string | null {
    return this.#cursor;
  }

  /** Begins at `offset`, and remembers nothing of what stands before. */
  async beginAt(offset: number, first: number): Promise<List> {
    return this.#take({ offset, first });
  }

  /** Goes on after the last row that came, or begins. */
  async next(first: number): Promise<List> {
    return this.#take({ after: this.#cursor, first });
  }

  /** Goes on to the end of the list. */
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

/** Somebody else at work: `-alice` removes the endpoint alice, `+alice` creates it. */
export type Change = `+${string}` | `-${string}`;

/** Makes these changes one after another, and fails unless each of them takes. */
export async function change(gateway: TestGateway, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const fields = changes.map((text, index) => {
    const field = text.startsWith("+") ? "createSipEndpoint" : "removeSipEndpoint";
    return `c${index}: ${field}(input: { username: "${text.slice(1)}" }) { userErrors { message } }`;
  });
  const { data, errors } = await gateway.ask<Record<string, { userErrors: { message: string }[] }>>(
    `mutation { ${fields.join(" ")} }`,
  );
  const problems = errors ?? Object.values(data).flatMap(({ userErrors }) => userErrors);
  if (problems.length > 0) throw new Error(`The list was not changed: ${JSON.stringify(problems)}`);
}
