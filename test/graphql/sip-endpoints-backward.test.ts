import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import {
  type List,
  type ListArguments,
  numbered,
  queryList,
  readList,
  requestedPages,
  usernamesOf,
} from "./list-query.js";
import { type Change, change } from "./list-walk.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Returns the cursor of a row. */
async function cursorAt(offset: number): Promise<string> {
  const { pageInfo } = await readList(gateway, { offset, first: 1 });
  return String(pageInfo.endCursor);
}

describe("The last rows of Query.sipEndpoints", () => {
  const counts = [0, 1, 9, 10, 11, 25, 100, 101];
  const cases = counts.flatMap((count) => [1, 10, 25, 100].map((last) => ({ count, last })));

  it.each(cases)("are the last $last of $count endpoints, in the order of the list", async ({
    count,
    last,
  }) => {
    await gateway.reset({ count });
    const list = await readList(gateway, { last });
    expect(usernamesOf(list)).toEqual(numbered(count, Math.max(0, count - last)));
    expect(list).toMatchObject({ totalCount: count, complete: true });
    expect(list.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: count > last,
      startCursor: list.edges.at(0)?.cursor ?? null,
      endCursor: list.edges.at(-1)?.cursor ?? null,
    });
  });

  it("cost the upstream requests for the number of rows and for the pages at the end", async () => {
    await gateway.reset({ count: 1000 });
    await readList(gateway, { last: 10 });
    expect(await requestedPages(gateway)).toEqual([1, 99, 100, 100]);
    await gateway.reset({ count: 1007 });
    await readList(gateway, { last: 2 });
    expect(await requestedPages(gateway)).toEqual([1, 101]);
  });

  it.each([
    [{ last: 0 }, [], false, true],
    [{ last: 10, offset: 0 }, numbered(25, 15), false, true],
    [{ last: 10, offset: 20 }, numbered(25, 20), false, true],
    [{ last: 10, offset: 25 }, [], false, true],
    [{ last: 10, offset: 2_147_483_647 }, [], false, true],
    [{ first: null, last: 3 }, numbered(25, 22), false, true],
    [{ first: 3, last: null }, numbered(25, 0, 3), true, false],
  ] as [
    ListArguments,
    string[],
    boolean,
    boolean,
  ][])("are %j", async (args, names, hasNextPage, hasPreviousPage) => {
    await gateway.reset({ count: 25 });
    const list = await readList(gateway, args);
    expect(usernamesOf(list)).toEqual(names);
    expect(list).toMatchObject({ totalCount: 25, pageInfo: { hasNextPage, hasPreviousPage } });
  });

  it("are those of now, when a cached first page has an older number of rows", async () => {
    const cached = await startGateway({ gateway: { CACHE_TTL_MS: "600000", PIOPIY_URL: gateway.piopiyUrl } });
    try {
      await gateway.reset({ count: 25 });
      await readList(cached, {});
      for (const count of [27, 45]) {
        await gateway.reset({ count });
        expect(usernamesOf(await readList(cached, { last: 3 }))).toEqual(numbered(count, count - 3));
        await change(cached, ["+new-1", "-new-1"]);
        await gateway.reset({ count: 25 });
        await readList(cached, {});
      }
    } finally {
      await cached.close();
    }
  });
});

describe("Query.sipEndpoints before a cursor", () => {
  beforeEach(() => gateway.reset({ count: 45 }));

  it.each([
    [{ last: 10 }, 20, 10, 20],
    [{ last: 10 }, 25, 15, 25],
    [{ last: 10 }, 10, 0, 10],
    [{ last: 10 }, 3, 0, 3],
    [{ last: 10 }, 0, 0, 0],
    [{ last: 0 }, 20, 20, 20],
    [{ last: 1 }, 1, 0, 1],
    [{ last: 100 }, 44, 0, 44],
    // Without `last`, the first rows of the list are requested.
    [{}, 20, 0, 10],
    [{ first: 10 }, 4, 0, 4],
    [{ first: 10 }, 10, 0, 10],
    [{ first: 10 }, 11, 0, 10],
    [{ first: 100 }, 30, 0, 30],
    [{ first: 0 }, 30, 0, 0],
  ])("returns for %j the rows before row %i, from %i to %i", async (args, row, from, to) => {
    const before = await cursorAt(row);
    const { edges, pageInfo, totalCount } = await readList(gateway, { ...args, before });
    expect(edges.map(({ node }) => node.username)).toEqual(numbered(45, from, to));
    expect(totalCount).toBe(45);
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: from > 0 });
  });

  it.each([
    [{ last: 10 }, 10, 35, 45],
    [{ last: 10 }, 34, 35, 45],
    [{ last: 10 }, 40, 41, 45],
    [{ last: 100 }, 0, 1, 45],
    [{ last: 5 }, 44, 45, 45],
  ])("returns for %j after row %i the rows from %i to %i", async (args, row, from, to) => {
    const after = await cursorAt(row);
    const { edges, pageInfo } = await readList(gateway, { ...args, after });
    expect(edges.map(({ node }) => node.username)).toEqual(numbered(45, from, to));
    expect(pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it("costs the upstream requests for its rows, the row of the cursor and five rows before them", async () => {
    const before = await cursorAt(25);
    await gateway.reset({ count: 45 });
    await readList(gateway, { last: 10, before });
    expect(await requestedPages(gateway)).toEqual([2, 3, 3]);
  });

  it("returns cursors for the next page, and for the page before", async () => {
    const { pageInfo } = await readList(gateway, { last: 10, before: await cursorAt(30) });
    const next = await readList(gateway, { first: 5, after: pageInfo.endCursor });
    const previous = await readList(gateway, { last: 5, before: pageInfo.startCursor });
    expect(usernamesOf(next)).toEqual(numbered(45, 30, 35));
    expect(usernamesOf(previous)).toEqual(numbered(45, 15, 20));
  });
});

describe("Paginating Query.sipEndpoints backwards", () => {
  /** Reads the list from its end to its start, and changes it after each page. */
  async function walk(last: number, changes: readonly (readonly Change[])[] = []): Promise<string[]> {
    const seen: string[] = [];
    let before: string | null = null;
    for (let page = 0; ; page++) {
      const list: List = await readList(gateway, { last, before });
      seen.unshift(...usernamesOf(list));
      if (!list.pageInfo.hasPreviousPage) return seen;
      before = list.pageInfo.startCursor;
      await change(gateway, changes[page] ?? []);
    }
  }

  /** Returns removals of the numbered endpoints from position `from` (inclusive) to `to` (exclusive). */
  const without = (from: number, to: number) =>
    numbered(40, from, to).map((username): Change => `-${username}`);

  beforeEach(() => gateway.reset({ count: 40 }));

  it.each([1, 7, 10, 25, 100])("returns each row once, with %i rows on a page", async (last) => {
    expect(await walk(last)).toEqual(numbered(40));
  });

  it.each<[string, Change[], string[]]>([
    ["the row of the cursor is removed", without(30, 31), numbered(40)],
    ["returned rows are removed", without(31, 40), numbered(40)],
    ["all returned rows are removed", without(30, 40), numbered(40)],
    [
      "the rows before the cursor are removed",
      without(27, 30),
      [...numbered(40, 0, 27), ...numbered(40, 30)],
    ],
    ["the first rows are removed", without(0, 15), numbered(40, 15)],
    ["other rows are created", ["+new-1", "+new-2"], numbered(40)],
    [
      "some rows are removed and others are created",
      [...without(3, 6), ...without(29, 31), "+new-1"],
      [...numbered(40, 0, 3), ...numbered(40, 6, 29), ...numbered(40, 30)],
    ],
  ])("continues with the row before when %s", async (_, changes, expected) => {
    expect(await walk(10, [changes])).toEqual(expected);
  });

  it("returns CURSOR_EXPIRED when the row of the cursor and the rows before it are removed", async () => {
    const { pageInfo } = await readList(gateway, { last: 10 });
    await change(gateway, without(20, 31));
    const { errors } = await queryList(gateway, { last: 10, before: pageInfo.startCursor });
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/Start again from the first page, without a cursor\.$/),
        extensions: { code: "CURSOR_EXPIRED" },
      },
    ]);
  });
});
