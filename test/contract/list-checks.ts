import assert from "node:assert/strict";
import { assumed, type ContractCheck, documented } from "./contract-check.js";
import type { ContractTrial } from "./contract-trial.js";

const password = "made-up-Contract-1";

/** Checks of the pages and the order of the list. */
export const listChecks: readonly ContractCheck[] = [
  documented("the list returns a count and rows of username and password", async (trial) => {
    await trial.create(trial.username(), password);
    const response = await trial.execute("list_sip", { page: 1 });
    response.assertFields({ list: response.body.list });
    const { rows } = response.list;
    assert.ok(rows.length > 0, "the first page has rows");
    for (const row of rows) assert.deepEqual(Object.keys(row), ["username", "password"], "the keys of a row");
  }),

  documented("the list has pages of ten from page 1, each endpoint on one of them", async (trial) => {
    const usernames = await createEleven(trial);
    const pages = await trial.pages();
    for (const page of pages.slice(0, -1))
      assert.equal(page.length, 10, "the rows of a page before the last");
    const found = pages.flat().filter((username) => usernames.includes(username));
    assert.deepEqual(found.toSorted(), usernames, "the eleven created endpoints");
  }),

  documented("the count is the total, on every page", async (trial) => {
    await createEleven(trial);
    const first = (await trial.execute("list_sip", { page: 1 })).list;
    const second = (await trial.execute("list_sip", { page: 2 })).list;
    assert.ok(first.count >= 11, "the count is more than a page has");
    assert.equal(second.count, first.count, "the count on the second page");
  }),

  assumed("a page past the end has no rows and the same count", async (trial) => {
    const { count } = (await trial.execute("list_sip", { page: 1 })).list;
    const past = (await trial.execute("list_sip", { page: Math.ceil(count / 10) + 1 })).list;
    assert.deepEqual(past, { count, rows: [] }, "the page past the end");
  }),

  assumed("the list is in order of creation, and an update does not change the order", async (trial) => {
    const usernames = ["c", "a", "b"].map((suffix) => trial.username(suffix));
    for (const username of usernames) await trial.create(username, password);
    await trial.execute("update_sip", { username: trial.username("c"), password: "made-up-Contract-2" });
    const listed = (await trial.pages()).flat();
    const found = listed.filter((username) => usernames.includes(username));
    assert.deepEqual(found, usernames, "the three created endpoints");
  }),

  ...[0, -1, 1.5, "1"].map((page) =>
    assumed(`the page ${JSON.stringify(page)} is rejected with 502`, async (trial) => {
      (await trial.execute("list_sip", { page })).assertRejection(502);
    }),
  ),
];

async function createEleven(trial: ContractTrial): Promise<string[]> {
  const usernames = Array.from({ length: 11 }, (_, index) => trial.username(String(index).padStart(2, "0")));
  for (const username of usernames) await trial.create(username, password);
  return usernames;
}
