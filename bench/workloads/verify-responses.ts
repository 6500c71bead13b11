import { isDeepStrictEqual } from "node:util";
import type { RunningContestant } from "../processes/running-contestant.js";
import { post } from "../processes/server.js";
import { endpoint, endpoints, MANY_ENDPOINTS, type Names, usernames } from "./endpoints.js";

/** Asks each kind of question once and compares every field of the answers; throws at the first difference. */
export async function check(
  { url, contestant: { dialect } }: RunningContestant,
  names: Names,
): Promise<void> {
  const { one, many, readMany, rows, readRows } = dialect;
  const single = names.fresh(1);
  expect("one endpoint", dialect.readOne(await post(url, one(`user-${single}`))), endpoint(single));
  if (many && readMany) {
    const from = names.fresh(25);
    const found = readMany(await post(url, many(usernames(from, 25))));
    expect("50 aliases", found, [...endpoints(from, 25), ...endpoints(from, 25)]);
  }
  if (rows && readRows) {
    const from = names.fresh(50);
    const found = readRows(await post(url, rows(from - 1, 50)));
    expect("50 rows", found, { nodes: endpoints(from, 50), totalCount: MANY_ENDPOINTS });
  }
}

function expect(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return;
  throw new Error(`${what}: a wrong answer, ${JSON.stringify(found)?.slice(0, 300)}`);
}
