import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, readList, requestedPages, usernamesOf } from "./list-query.js";
import { ListWalk } from "./list-walk.js";

describe("Paginating Query.sipEndpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  const cases = [0, 1, 9, 10, 11, 25, 101].flatMap((count) =>
    [1, 3, 10, 11, 25, 100].map((first) => ({ count, first })),
  );

  it.each(cases)("returns each of $count endpoints once and in order, $first per page", async ({
    count,
    first,
  }) => {
    await gateway.reset({ count });
    const walk = new ListWalk(gateway);
    for (let place = 0; place === 0 || place < count; place += first) {
      const { pageInfo, edges, totalCount } = await walk.next(first);
      expect(totalCount).toBe(count);
      expect(pageInfo).toEqual({
        hasNextPage: place + first < count,
        hasPreviousPage: place > 0,
        startCursor: edges.at(0)?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      });
    }
    expect(walk.seen).toEqual(numbered(count));
  });

  it.each([
    {
      first: 10,
      pages: [[1], [1, 2], [2, 3], [3, 4]],
    },
    {
      first: 25,
      pages: [
        [1, 2, 2, 3],
        [3, 4, 4, 5],
        [5, 6, 6, 7, 8, 8],
      ],
    },
    {
      first: 20,
      pages: [
        [1, 2, 2],
        [2, 3, 3, 4],
        [4, 5, 5, 6],
      ],
    },
  ])("with $first per page requests the pages of each slice and of the last rows before it", async ({
    first,
    pages,
  }) => {
    const walk = new ListWalk(gateway);
    for (const expected of pages) {
      await gateway.reset({ count: 200 });
      await walk.next(first);
      expect(await requestedPages(gateway)).toEqual(expected);
    }
  });

  it("continues from any row, forwards and backwards", async () => {
    await gateway.reset({ count: 30 });
    const { edges } = await readList(gateway, { first: 30 });
    for (const place of [0, 8, 9, 10, 19, 20, 28, 29, 4]) {
      const list = await readList(gateway, { after: edges[place]?.cursor ?? "", first: 3 });
      expect(usernamesOf(list)).toEqual(numbered(30, place + 1, place + 4));
      expect(list.pageInfo.hasPreviousPage).toBe(true);
    }
  });

  it("ends with an empty page after the last row", async () => {
    await gateway.reset({ count: 20 });
    const walk = await new ListWalk(gateway).finish(20);
    expect(await walk.next(10)).toEqual({
      totalCount: 20,
      complete: true,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  it("accepts a cursor of another gateway process", async () => {
    await gateway.reset({ count: 12 });
    const other = await startGateway();
    try {
      await other.reset({ count: 12 });
      const { pageInfo } = await readList(other, { first: 7 });
      const list = await readList(gateway, { after: pageInfo.endCursor });
      expect(usernamesOf(list)).toEqual(numbered(12, 7));
    } finally {
      await other.close();
    }
  });
});
