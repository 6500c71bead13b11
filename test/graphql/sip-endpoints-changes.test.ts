import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, queryList, requestedPages, usernamesOf } from "./list-query.js";
import { type Change, change, ListWalk } from "./list-walk.js";

/** Returns removals of the numbered endpoints from position `from` (inclusive) to `to` (exclusive). */
const without = (from: number, to: number) =>
  numbered(30, from, to).map((username): Change => `-${username}`);

describe("Paginating Query.sipEndpoints while other clients change the list", () => {
  let gateway: TestGateway;
  let walk: ListWalk;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(async () => {
    await gateway.reset({ count: 30 });
    walk = new ListWalk(gateway);
  });

  const rest = (from: number) => numbered(30, from);

  it.each<[string, number[], Change[], string[]]>([
    ["nothing changes", [10], [], rest(10)],
    ["the first row is removed", [10], without(0, 1), rest(10)],
    ["the row of the cursor is removed", [10], without(9, 10), rest(10)],
    ["all returned rows except the first are removed", [10], without(1, 10), rest(10)],
    ["all returned rows except the last are removed", [10], without(0, 9), rest(10)],
    [
      "all returned rows except one in the middle are removed",
      [10],
      [...without(0, 4), ...without(5, 10)],
      rest(10),
    ],
    ["all earlier rows are removed", [10, 10], without(0, 10), rest(20)],
    [
      "all returned rows except the third last are removed",
      [10, 10],
      [...without(0, 17), ...without(18, 20)],
      rest(20),
    ],
    ["the next rows are removed", [10], without(10, 13), rest(13)],
    ["all further rows are removed", [10], without(10, 30), []],
    ["rows on both sides are removed", [10], [...without(3, 6), ...without(10, 12)], rest(12)],
    ["others are created", [10], ["+new-1", "+new-2"], [...rest(10), "new-1", "new-2"]],
    ["others are created after the last row", [30], ["+new-1", "+new-2"], ["new-1", "new-2"]],
    [
      "some are removed and others are created",
      [13, 4],
      [...without(2, 16), "+new-1"],
      [...rest(17), "new-1"],
    ],
    ["each page has one row, and the last one is removed", [1, 1, 1], without(2, 3), rest(3)],
    [
      "a page of one row begins a page of PIOPIY, and the rows around it are removed",
      [10, 1],
      without(9, 11),
      rest(11),
    ],
  ])("continues with the next row when %s", async (_title, sizes, changes, expected) => {
    for (const first of sizes) await walk.next(first);
    const before = [...walk.seen];
    await change(gateway, changes);
    await walk.finish(7);
    expect(walk.seen).toEqual([...before, ...expected]);
  });

  it("continues when a returned row and later the row after it are removed", async () => {
    await walk.next(5);
    await change(gateway, without(4, 5));
    await walk.next(1);
    await change(gateway, without(5, 6));
    await walk.finish();
    expect(walk.seen).toEqual(numbered(30));
  });

  it("continues from an offset when rows before it are removed", async () => {
    await walk.beginAt(13, 2);
    await change(gateway, [...without(0, 13), ...without(14, 15)]);
    await walk.finish();
    expect(walk.seen).toEqual(numbered(30, 13));
  });

  it("costs one more upstream request when rows before the cursor are removed", async () => {
    await walk.next(10);
    await gateway.reset({
      endpoints: [...numbered(30, 0, 2), ...numbered(30, 5)].map((username) => ({ username })),
    });
    await walk.next(10);
    expect(await requestedPages(gateway)).toEqual([1, 2, 2]);
    expect(walk.seen).toEqual(numbered(30, 0, 20));
  });

  it("searches from the end when the list has shrunk from 20,000 rows to 150", async () => {
    await gateway.reset({ count: 20_000 });
    await walk.beginAt(19_980, 15);
    const left = Array.from({ length: 10 }, (_, index) => `user${19_990 + index}`);
    await gateway.reset({ endpoints: [...numbered(140), ...left].map((username) => ({ username })) });
    expect(usernamesOf(await walk.next(10))).toEqual(left.slice(6));
    expect(await requestedPages(gateway)).toEqual([14, 15, 15, 15, 2001]);
  });

  describe("returns CURSOR_EXPIRED", () => {
    async function expectExpired(): Promise<void> {
      const { data, errors } = await queryList(gateway, { after: walk.cursor });
      expect(data).toEqual({ sipEndpoints: null });
      expect(errors).toEqual([
        expect.objectContaining({
          message: expect.stringContaining("Start again from the first page"),
          path: ["sipEndpoints"],
          extensions: { code: "CURSOR_EXPIRED", retryable: false, requestId: expect.any(String) },
        }),
      ]);
    }

    it.each<[string, number[], Change[]]>([
      ["all returned rows are removed", [10], without(0, 10)],
      ["the last ten returned rows are removed", [10, 10], without(10, 20)],
      ["all rows are removed", [10], without(0, 30)],
      ["the only returned row is removed", [1], without(0, 1)],
      ["all returned rows are replaced", [3], [...without(0, 3), "+user0001", "+user0002", "+user0003"]],
    ])("when %s", async (_title, sizes, changes) => {
      for (const first of sizes) await walk.next(first);
      await change(gateway, changes);
      await expectExpired();
    });

    it("without a search beyond the list when the list has shrunk from 20,000 rows to 15", async () => {
      await gateway.reset({ count: 20_000 });
      await walk.beginAt(19_980, 15);
      await gateway.reset({ endpoints: numbered(15).map((username) => ({ username })) });
      await expectExpired();
      expect(await requestedPages(gateway)).toEqual([1, 2, 2001]);
    });
  });
});
