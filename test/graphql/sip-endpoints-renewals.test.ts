import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, queryList } from "./list-query.js";
import { type Change, change, ListWalk } from "./list-walk.js";

const remove = (usernames: readonly string[]) => usernames.map((username): Change => `-${username}`);
const renew = (username: string): Change[] => [`-${username}`, `+${username}`];

// An endpoint that is removed and created again moves to the end of the list, so its name alone does not identify a
// position.
describe("Paginating Query.sipEndpoints while endpoints are removed and created again", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  it.each<[string, number, number[], Change[], string[]]>([
    ["the first row is created again", 15, [10], renew("user0001"), ["user0001"]],
    ["the row of the cursor is created again", 15, [10], renew("user0010"), ["user0010"]],
    [
      "the row of the cursor gets its old position again",
      12,
      [11],
      [...remove(["user0001"]), ...renew("user0011")],
      ["user0011"],
    ],
    [
      "the row of the cursor gets a position before its old one",
      18,
      [14],
      [...remove(["user0007", "user0001", "user0004", "user0012"]), ...renew("user0014")],
      ["user0014"],
    ],
    [
      "the remaining rows have moved out of the searched range, and created ones into it",
      22,
      [20],
      [...remove(numbered(22, 0, 10)), ...renew("user0019"), ...renew("user0020")],
      ["user0019", "user0020"],
    ],
    [
      "all returned rows except one are created again",
      12,
      [10],
      numbered(12, 1, 10).flatMap(renew),
      numbered(12, 1, 10),
    ],
  ])("returns the remaining rows when %s", async (_title, count, sizes, changes, renewed) => {
    await gateway.reset({ count });
    const walk = new ListWalk(gateway);
    for (const first of sizes) await walk.next(first);
    const before = [...walk.seen];
    await change(gateway, changes);
    await walk.finish();
    expect(walk.seen).toEqual([...before, ...numbered(count, before.length), ...renewed]);
  });

  it.each<[string, number, number, Change[]]>([
    ["a short walk", 3, 2, [...remove(["user0001", "user0002"]), "+user0002"]],
    ["a page of ten", 12, 10, [...remove(numbered(12, 0, 10)), "+user0010"]],
    ["a page of ten, in the same order", 12, 10, [...remove(numbered(12, 0, 10)), "+user0009", "+user0010"]],
  ])("returns CURSOR_EXPIRED when all rows of %s are removed and some are created again", async (_title, count, first, changes) => {
    await gateway.reset({ count });
    const walk = new ListWalk(gateway);
    await walk.next(first);
    await change(gateway, changes);
    const { data, errors } = await queryList(gateway, { after: walk.cursor });
    expect(data).toEqual({ sipEndpoints: null });
    expect(errors?.[0]?.extensions.code).toBe("CURSOR_EXPIRED");
  });

  it("returns no row twice when the last rows are created again at the end of the list", async () => {
    await gateway.reset({ count: 10 });
    const walk = await new ListWalk(gateway).finish(10);
    await change(gateway, renew("user0010"));
    await walk.finish();
    expect(walk.seen).toEqual(numbered(10));
  });
});
