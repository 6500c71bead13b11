import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { abandon, held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { auditOf, silent } from "../support/gateway/lost-writes.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { send } from "../support/upstream/broken-upstream.js";
import { createDocument, createMany, passwordsAtPiopiy, removeMany, usernames } from "./many-endpoints.js";

const items = (names: readonly string[]) => names.map((username) => ({ username }));
const read = (username: string) => `{ sipEndpoint(username: "${username}") { username } }`;
const idempotencyKey = "made-up-key-1";

let gateway: TestGateway | undefined;
let broken: BrokenGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  await broken?.close();
  gateway = undefined;
  broken = undefined;
});

describe("A mutation of 200 endpoints", () => {
  it.each([
    [1, 1],
    [8, 4],
    [9, 5],
  ])("with PIOPIY_MAX_CONCURRENCY=%i has at most %i upstream requests in flight", async (limit, share) => {
    gateway = await startGateway({ gateway: { PIOPIY_MAX_CONCURRENCY: String(limit) } });
    await gateway.reset({ count: 0 });
    await gateway.addFault({ operation: "add_sip", kind: "latency", ms: 5, times: 200 });
    const { payload } = await createMany(gateway, { items: items(usernames(200)) });
    expect(payload).toMatchObject({ created: 200 });
    const concurrent = (await gateway.upstreamRequests()).map((request) => request.concurrent);
    expect(Math.max(...concurrent)).toBe(share);
  });

  it("leaves slots for the reads of all clients, also of its own", async () => {
    const scopes = "sip:read+sip:write";
    const keys = apiKeys({ "key-a": scopes, "key-b": scopes });
    broken = await startBrokenGateway({ ...keys, PIOPIY_MAX_CONCURRENCY: "4", PIOPIY_TIMEOUT_MS: "60000" });
    const { gateway, upstream } = broken;
    const writes = held();
    upstream.respond((response, request) => {
      if (request.operation === "get_sip") send(response, {});
      else if (typeof writes.responder === "function") writes.responder(response, request);
    });
    let isDone = false;
    const many = createMany(gateway, { items: items(usernames(200)) }, bearer("key-a")).finally(() => {
      isDone = true;
    });
    await until(() => upstream.requests.length === 2);
    for (const key of ["key-a", "key-b"]) {
      const { data } = await gateway.execute(read("alice"), {}, bearer(key));
      expect(data).toEqual({ sipEndpoint: { username: "alice" } });
    }
    expect(isDone).toBe(false);
    expect(upstream.requests.filter(({ operation }) => operation === "add_sip")).toHaveLength(2);
    const releasing = until(() => {
      writes.release();
      return isDone;
    });
    expect((await many).payload).toMatchObject({ created: 200, failed: 0 });
    await releasing;
  });
});

describe("The deadline of a mutation of many endpoints", () => {
  /** A PIOPIY that never responds: each item takes the whole timeout of an attempt, and is then read until the deadline. */
  async function start(): Promise<BrokenGateway> {
    broken = await startBrokenGateway({
      PIOPIY_TIMEOUT_MS: "60000",
      PIOPIY_DEADLINE_MS: "1000",
      PIOPIY_MAX_CONCURRENCY: "2",
    });
    broken.upstream.respond(silent);
    return broken;
  }

  it.each([
    [1, 1000],
    [50, 1000],
    [51, 2000],
    [200, 4000],
  ])("for %i endpoints is %i milliseconds with PIOPIY_DEADLINE_MS=1000", async (count, ms) => {
    const { gateway, upstream } = await start();
    const begun = performance.now();
    const { payload } = await removeMany(gateway, { usernames: usernames(count) });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(ms - 1);
    expect(payload).toMatchObject({ removed: 0, missing: 0, failed: count });
    const [first, ...others] = payload.results.map(({ error }) => error);
    expect(first).toMatchObject({ code: "OUTCOME_UNKNOWN", retryable: true });
    for (const error of others) {
      expect(error).toEqual({
        code: "UPSTREAM_TIMEOUT",
        message:
          "The deadline of this operation (PIOPIY_DEADLINE_MS) left no time for a request to PIOPIY. Try again later.",
        retryable: true,
      });
    }
    expect(new Set(upstream.requests.map(({ body }) => JSON.parse(body).username)).size).toBe(1);
  });

  it("keeps the connection open for longer than that of a usual operation, which is closed after 30 seconds more", async () => {
    broken = await startBrokenGateway({
      PIOPIY_TIMEOUT_MS: "60000",
      PIOPIY_DEADLINE_MS: "11000",
      PIOPIY_MAX_CONCURRENCY: "2",
    });
    broken.upstream.respond(silent);
    const { payload } = await removeMany(broken.gateway, { usernames: usernames(200) });
    expect(payload).toMatchObject({ failed: 200 });
  });

  it("starts again for each such mutation of an operation", async () => {
    const { gateway, upstream } = await start();
    const field = (alias: string) =>
      `${alias}: removeSipEndpoints(input: { usernames: ["${alias}"] }) { results { error { code } } }`;
    const { data } = await gateway.execute(`mutation { ${field("one")} ${field("two")} }`);
    const results = [{ error: { code: "OUTCOME_UNKNOWN" } }];
    expect(data).toEqual({ one: { results }, two: { results } });
    expect(new Set(upstream.requests.map(({ body }) => JSON.parse(body).username))).toEqual(
      new Set(["one", "two"]),
    );
  });
});

describe("A client that disconnects during a mutation of many endpoints", () => {
  it("gets the same passwords, and the missing endpoints, by repeating the input with the same key", async () => {
    gateway = await startGateway({ gateway: { PIOPIY_MAX_CONCURRENCY: "4" } });
    const target = gateway;
    await target.reset({ count: 0 });
    await target.addFault({ operation: "add_sip", kind: "latency", ms: 50, times: 200 });
    const input = { items: items(usernames(200)), idempotencyKey };
    let isTime = false;
    const watching = until(async () => (await target.upstreamRequests()).length >= 20).then(() => {
      isTime = true;
    });
    await abandon(target, createDocument, () => isTime, { input });
    await watching;
    await until(() => auditOf(target).length === 200);
    const stored = await passwordsAtPiopiy(target);
    const outcomes = auditOf(target).map(({ outcome }) => outcome);
    const done = outcomes.filter((outcome) => outcome === "done").length;
    expect(new Set(outcomes)).toEqual(new Set(["done", "UPSTREAM_TIMEOUT"]));
    expect(Object.keys(stored)).toHaveLength(done);

    const { payload } = await createMany(target, input);
    expect(payload).toMatchObject({ created: 200 - done, existing: done, failed: 0 });
    const returned = Object.fromEntries(
      payload.results.map(({ username, password }) => [username, password]),
    );
    expect(returned).toMatchObject(stored);
    expect(await passwordsAtPiopiy(target)).toEqual(returned);
  });
});
