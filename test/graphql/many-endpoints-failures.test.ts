import { afterEach, describe, expect, it } from "@jest/globals";
import { seededRandom } from "../chaos/seeded-random.js";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { auditOf, cut, silent } from "../support/gateway/lost-writes.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { createMany, passwordsAtPiopiy, removeMany, usernames } from "./many-endpoints.js";

const items = (names: readonly string[]) => names.map((username) => ({ username }));

let gateway: TestGateway | undefined;
let broken: BrokenGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  await broken?.close();
  gateway = undefined;
  broken = undefined;
});

/** Adds a fault for every fifth username. */
async function addFaults(target: TestGateway, names: readonly string[], operations: string[], seed: number) {
  const random = seededRandom(seed);
  for (const username of names) {
    if (random.next() >= 0.2) continue;
    const kind = random.pick(["reset", "lose-reply", "status", "garbage"]);
    const operation = random.pick(operations);
    await target.addFault({ kind, username, operation, times: random.pick([1, 2]) });
  }
}

describe("A mutation of 200 endpoints with faults in a fifth of them", () => {
  it.each([
    1, 2,
  ])("returns a result for each item that PIOPIY's state confirms, also when it is repeated (seed %i)", async (seed) => {
    gateway = await startGateway({ gateway: { PIOPIY_DEADLINE_MS: "30000" } });
    await gateway.reset({ count: 0 });
    const names = usernames(200);
    const input = { items: items(names), idempotencyKey: "made-up-key-1" };
    await addFaults(gateway, names, ["add_sip", "get_sip"], seed);
    const { payload, errors } = await createMany(gateway, input);
    expect(errors).toBeUndefined();
    expect(payload.results.map(({ username }) => username)).toEqual(names);
    expect(Number(payload.created) + Number(payload.existing) + Number(payload.failed)).toBe(200);
    const stored = await passwordsAtPiopiy(gateway);
    for (const { username, password, error } of payload.results) {
      if (error)
        expect(error).toMatchObject({ code: expect.stringMatching(/^(UPSTREAM|OUTCOME)_/), retryable: true });
      else expect([username, stored[username]]).toEqual([username, password]);
    }
    expect(payload.failed).toBe(payload.results.filter(({ error }) => error).length);

    let again = await createMany(gateway, input);
    while (again.payload.failed !== 0) again = await createMany(gateway, input);
    const returned = again.payload.results.map(({ username, password }) => [username, password]);
    expect(await passwordsAtPiopiy(gateway)).toEqual(Object.fromEntries(returned));
    for (const [index, { password }] of payload.results.entries())
      if (password) expect(returned[index]).toEqual([names[index], password]);

    await addFaults(gateway, names, ["remove_sip", "get_sip"], seed + 10);
    const removal = await removeMany(gateway, { usernames: names });
    const left = await passwordsAtPiopiy(gateway);
    for (const { username, removedId } of removal.payload.results) {
      if (removedId) expect([username, left[username]]).toEqual([username, undefined]);
    }
  });
});

describe("An item whose upstream request fails", () => {
  it.each<[string, object, string, boolean]>([
    ["a lost response that PIOPIY does not explain", { kind: "lose-reply" }, "OUTCOME_UNKNOWN", true],
    ["a rejection of the account", { kind: "status", status: 420 }, "UPSTREAM_UNAUTHENTICATED", false],
    ["a busy PIOPIY", { kind: "status", status: 503 }, "UPSTREAM_UNAVAILABLE", true],
  ])("has its failure as data, and the other items are done: %s", async (_, fault, code, retryable) => {
    gateway = await startGateway({ gateway: { PIOPIY_DEADLINE_MS: "3000" } });
    await gateway.reset({ count: 0 });
    await gateway.addFault({ operation: "add_sip", username: "erin", ...fault });
    await gateway.addFault({ operation: "get_sip", username: "erin", kind: "status", status: 404, times: 9 });
    const { status, errors, payload } = await createMany(gateway, {
      items: items(["dora", "erin", "frank"]),
    });
    expect([status, errors]).toEqual([200, undefined]);
    expect(payload).toMatchObject({ created: 2, existing: 0, failed: 1, userErrors: [] });
    expect(payload.results[1]).toEqual({
      username: "erin",
      sipEndpoint: null,
      password: null,
      userErrors: [],
      error: { code, message: expect.any(String), retryable },
    });
  });

  it("has the advice about its generated password, with and without an idempotency key", async () => {
    broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "500", PIOPIY_DEADLINE_MS: "1500" });
    broken.upstream.respond(silent);
    const without = await createMany(broken.gateway, { items: items(["erin"]) });
    const withKey = await createMany(broken.gateway, {
      items: items(["erin"]),
      idempotencyKey: "made-up-key",
    });
    expect(without.payload.results[0]?.error?.message).toContain("rotateSipEndpointPassword");
    expect(withKey.payload.results[0]?.error?.message).toContain("returns the same generated password");
  });

  it("counts in the log entry of the operation, which is a warning", async () => {
    gateway = await startGateway();
    await gateway.reset({ count: 0 });
    for (const username of ["erin", "frank"])
      await gateway.addFault({ operation: "add_sip", username, kind: "status", status: 420 });
    await createMany(gateway, { items: items(["dora", "erin", "frank"]) });
    const entry = gateway.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === "request completed");
    expect(entry).toMatchObject({
      level: 40,
      status: 200,
      codes: ["UPSTREAM_UNAUTHENTICATED"],
      failures: { UPSTREAM_UNAUTHENTICATED: 2 },
    });
    const outcomes = auditOf(gateway).map(({ what, username, outcome }) => [what, username, outcome]);
    expect(outcomes.toSorted()).toEqual([
      ["Mutation.createSipEndpoints", "dora", "done"],
      ["Mutation.createSipEndpoints", "erin", "UPSTREAM_UNAUTHENTICATED"],
      ["Mutation.createSipEndpoints", "frank", "UPSTREAM_UNAUTHENTICATED"],
    ]);
  });

  it("is not sent while the circuit breaker is open", async () => {
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "2", BREAKER_RESET_MS: "600000" });
    broken.upstream.respond(cut);
    const { payload } = await removeMany(broken.gateway, { usernames: usernames(50) });
    expect(payload).toMatchObject({ removed: 0, missing: 0, failed: 50 });
    expect(broken.upstream.requests.length).toBeLessThan(20);
    expect(payload.results.at(-1)?.error).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", retryable: true });
  });
});
