import { isDeepStrictEqual } from "node:util";
import type { RunningContestant } from "../processes/running-contestant.js";
import { postJson } from "../processes/server.js";
import { endpoint, endpoints, MANY_ENDPOINTS, type Names, usernames } from "./endpoints.js";

/** Sends each kind of query once and compares every field of the responses. Throws at the first difference. */
export async function verifyResponses(
  { url, contestant: { api } }: RunningContestant,
  names: Names,
): Promise<void> {
  const { aliasesQuery, parseAliases, rowsQuery, parseRows } = api;
  const single = names.fresh(1);
  assertEqual(
    "one endpoint",
    api.parseEndpoint(await postJson(url, api.endpointQuery(`user-${single}`))),
    endpoint(single),
  );
  if (aliasesQuery && parseAliases) {
    const from = names.fresh(25);
    const found = parseAliases(await postJson(url, aliasesQuery(usernames(from, 25))));
    assertEqual("50 aliases", found, [...endpoints(from, 25), ...endpoints(from, 25)]);
  }
  if (rowsQuery && parseRows) {
    const from = names.fresh(50);
    const found = parseRows(await postJson(url, rowsQuery(from - 1, 50)));
    assertEqual("50 rows", found, { nodes: endpoints(from, 50), totalCount: MANY_ENDPOINTS });
  }
}

function assertEqual(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}: unexpected response: ${JSON.stringify(found)?.slice(0, 300)}`);
}
