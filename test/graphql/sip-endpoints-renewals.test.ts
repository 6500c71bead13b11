import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { askList, numbered } from "./list-query.js";
import { type Change, change, ListWalk } from "./list-walk.js";

const remove = (usernames: readonly string[]) => usernames.map((username): Change => `-${username}`);
const renew = (username: string): Change[] => [`-${username}`, `+${username}`];

// An endpoint that is removed and created again moves to the end of the list: its name alone does not tell
// how far a walk has come.
describe("A walk through Query.sipEndpoints while endpoints are removed and created again", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  it.each<[string, number, number[], Change[], string[]]>([
    ["the first row is renewed", 15, [10], renew("user0001"), ["user0001"]],
    ["the cursor's row is renewed", 15, [10], renew("user0010"), ["user0010"]],
    [
      "the cursor's row lands where it was",
      12,
      [11],
      [...remove(["user0001"]), ...renew("user0011")],
      ["user0011"],
    ],
    [
      "the cursor's row lands before its old place",
      18,
      [14],
      [...remove(["user0007", "user0001", "user0004", "user0012"]), ...renew("user0014")],
      ["user0014"],
    ],
    [
      "the rows that are left have moved out of sight and renewed ones have come into it",
      22,
      [20],
      [...remove(numbered(22, 0, 10)), ...renew("user0019"), ...renew("user0020")],
      ["user0019", "user0020"],
    ],
    ["all seen rows but one are renewed", 12, [10], numbered(12, 1, 10).flatMap(renew), numbered(12, 1, 10)],
  ])("sees the rest when %s", async (_title, count, sizes, changes, renewed) => {
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
  ])("has expired rather than skip a row when all rows of %s are removed and some made anew", async (_title, count, first, changes) => {
    await gateway.reset({ count });
    const walk = new ListWalk(gateway);
    await walk.next(first);
    await change(gateway, changes);
    const { data, errors } = await askList(gateway, { after: walk.cursor });
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe("CURSOR_EXPIRED");
  });

  it("sees nothing twice when the last rows are renewed at the end of the list", async () => {
    await gateway.reset({ count: 10 });
    const walk = await new ListWalk(gateway).finish(10);
    await change(gateway, renew("user0010"));
    await walk.finish();
    expect(walk.seen).toEqual(numbered(10));
  });
});
