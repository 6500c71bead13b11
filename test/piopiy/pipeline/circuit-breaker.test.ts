import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { abandon } from "../../support/gateway/abandoned-operations.js";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
  writes,
} from "../../support/gateway/broken-gateway.js";
import { mutations, outcomeOf, refusal } from "../../support/gateway/lost-writes.js";
import { reads } from "../../support/gateway/reads.js";
import { until } from "../../support/until.js";
import { alice, type Responder } from "../../support/upstream/broken-upstream.js";

const html = "<h1>Something is wrong</h1>";
const outage = { status: 500, body: html };
/** One upstream request at a time, so that the order of the failures is certain. */
const single = { PIOPIY_MAX_CONCURRENCY: "1", BREAKER_RESET_MS: "60000" };

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway(single);
});
afterEach(() => broken.close());

const codes = async (query: string) =>
  (await broken.gateway.execute(query)).errors?.map(({ extensions }) => extensions.code) ?? [];

async function readiness(): Promise<unknown> {
  const response = await fetch(`${broken.gateway.origin}/health/ready`);
  return [response.status, await response.json()];
}

const up = [200, { status: "ready", piopiy: "up", redis: "off" }];
const down = [200, { status: "ready", piopiy: "down", redis: "off" }];

describe("After ten failures in a row", () => {
  it.each<[string, Responder]>([
    ["HTTP 500", outage],
    ["HTTP 503", { status: 503, body: html }],
    ["HTTP 503 with JSON that has no code", { status: 503, body: { error: true } }],
    ["a closed connection", (response) => response.destroy()],
  ])("the circuit breaker opens: %s", async (_, responder) => {
    broken.upstream.respond(responder);
    expect(await codes(reads("u", 9))).toHaveLength(9);
    expect(broken.upstream.requests).toHaveLength(10);
    expect(await readiness()).toEqual(down);
    broken.upstream.respond({});
    for (const operation of ["get_sip", "list_sip", ...writes] as const) {
      const { retryAfterMs, ...failure } = await fail(broken, operation);
      expect(failure).toEqual({ code: "UPSTREAM_UNAVAILABLE", retryable: true, attempts: 0 });
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    }
  });

  it("the circuit breaker opens: timeouts", async () => {
    await broken.close();
    broken = await startBrokenGateway({ ...single, PIOPIY_TIMEOUT_MS: "500" });
    broken.upstream.respond(() => {});
    expect(await codes(reads("u", 10))).toHaveLength(10);
    expect(broken.upstream.requests).toHaveLength(10);
    expect(await readiness()).toEqual(down);
  });

  it("and not after nine, the circuit breaker opens", async () => {
    broken.upstream.respond(...Array(9).fill(outage), {});
    await codes(reads("u", 5));
    expect(broken.upstream.requests.length).toBeGreaterThan(9);
    expect(await readiness()).toEqual(up);
  });

  it("the gateway stays ready and alive, and executes operations that need no PIOPIY", async () => {
    broken.upstream.respond(outage);
    await codes(reads("u", 10));
    const live = await fetch(`${broken.gateway.origin}/health/live`);
    expect([live.status, await live.json()]).toEqual([200, { status: "live" }]);
    const document = '{ connectAction(input: { call: [{ user: "alice" }] }) { pcmo } }';
    expect((await broken.gateway.execute(document)).errors).toBeUndefined();
  });

  it("queued requests are rejected without being sent", async () => {
    broken.upstream.respond(outage);
    expect(await codes(reads("u", 50))).toEqual(Array(50).fill("UPSTREAM_UNAVAILABLE"));
    expect(broken.upstream.requests).toHaveLength(10);
  });

  it("a write that was lost among them is still OUTCOME_UNKNOWN, and later ones are not", async () => {
    broken.upstream.respond((response) => response.destroy());
    expect(outcomeOf(await broken.gateway.execute(mutations.add_sip))).toBe("OUTCOME_UNKNOWN");
    expect(broken.upstream.requests).toHaveLength(10);
    for (const operation of writes) {
      expect(outcomeOf(await broken.gateway.execute(mutations[operation]))).toBe("UPSTREAM_UNAVAILABLE");
    }
    expect(broken.upstream.requests).toHaveLength(10);
  });
});

describe("The circuit breaker stays closed after many", () => {
  it.each<[string, Responder]>([
    ["unknown usernames", refusal],
    ["rejected accounts", { status: 420, body: { code: 420 } }],
    ["rejections", { body: { code: "cmi-404" } }],
    ["rejections without a code", { status: 404, body: html }],
    ["responses with HTTP 429", { status: 429, body: html }],
    ["codes of 503 in the body", { body: { code: "cmi-503" } }],
    ["codes of 504 with HTTP 504", { status: 504, body: { code: 504 } }],
    ["pages of HTML with HTTP 200", { body: html }],
    ["successes without data", { body: { code: 200 } }],
    ["endpoints with another username", { body: { ...alice, username: "bob" } }],
    ["objects without a code", { body: {} }],
    ["responses of 2 MB", { body: " ".repeat(2_000_000) }],
    ["bodies that cannot be decompressed", { headers: { "content-encoding": "gzip" }, body: html }],
  ])("%s", async (_, responder) => {
    broken.upstream.respond(responder);
    await codes(reads("u", 30));
    expect(broken.upstream.requests.length).toBeGreaterThanOrEqual(30);
    expect(await readiness()).not.toEqual(down);
  });

  it("clients that disconnect early", async () => {
    broken.upstream.respond(() => {});
    for (let count = 1; count <= 12; count++) {
      await abandon(broken.gateway, operations.get_sip, () => broken.upstream.requests.length === count);
      await until(() => broken.upstream.connections.open === 0);
    }
    broken.upstream.respond({});
    expect(await codes(operations.get_sip)).toEqual([]);
  });

  it("operations whose deadline was too short", async () => {
    await broken.close();
    broken = await startBrokenGateway({ ...single, PIOPIY_DEADLINE_MS: "30" });
    broken.upstream.respond(() => {});
    for (let count = 1; count <= 12; count++) expect(await codes(operations.get_sip)).toHaveLength(1);
    expect(await readiness()).not.toEqual(down);
  });
});

describe("The count of consecutive failures", () => {
  it.each<[string, Responder]>([
    ["success", {}],
    ["unknown username", refusal],
  ])("is reset by a %s", async (_, response) => {
    broken.upstream.respond(...Array(9).fill(outage), response, ...Array(9).fill(outage), {});
    for (let count = 0; count < 4; count++) await codes(reads("u", 5));
    expect(broken.upstream.requests.length).toBeGreaterThan(19);
    expect(await readiness()).toEqual(up);
  });

  it.each<[string, Responder]>([
    ["rejection", { body: { code: "cmi-404" } }],
    ["rejected account", { status: 420, body: { code: 420 } }],
  ])("is also reset by a %s", async (_, response) => {
    broken.upstream.respond(...Array(9).fill(outage), response, ...Array(9).fill(outage), {});
    for (let count = 0; count < 4; count++) await codes(reads("u", 5));
    expect(await readiness()).toEqual(up);
  });
});
