import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { abandon, held } from "../../support/gateway/abandoned-operations.js";
import {
  type BrokenGateway,
  operations,
  startBrokenGateway,
  writes,
} from "../../support/gateway/broken-gateway.js";
import { cut, found, mutations, outcomeOf, refusal, traces } from "../../support/gateway/lost-writes.js";
import { probe as executeUntilSent, reads } from "../../support/gateway/reads.js";
import type { GraphqlResponse } from "../../support/gateway/test-gateway.js";
import { until } from "../../support/until.js";
import { type Responder } from "../../support/upstream/broken-upstream.js";

const outage = { status: 500, body: "<h1>Something is wrong</h1>" };
const opening = /PIOPIY is unavailable/;
const closing = /PIOPIY is available again/;

let broken: BrokenGateway;
/** Every test begins with an open circuit breaker that allows a probe soon. */
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", BREAKER_RESET_MS: "1000" });
  broken.upstream.respond(outage);
  await broken.gateway.execute(reads("u", 10));
  expect(await isClosed()).toBe(false);
});
afterEach(() => broken.close());

const requests = () => broken.upstream.requests.map(({ operation }) => operation);
const reported = (words: RegExp) =>
  broken.gateway.log.filter((line) => words.test(line)).map((line) => JSON.parse(line));

async function isClosed(): Promise<boolean> {
  const response = await fetch(`${broken.gateway.origin}/health/ready`);
  expect(response.status).toBe(200);
  const { piopiy } = (await response.json()) as { piopiy: string };
  expect(["up", "refused", "down"]).toContain(piopiy);
  return piopiy !== "down";
}

/** Sets the responses, and repeats the query until one request is sent. */
function probe(query: string, ...responders: Responder[]): Promise<Promise<GraphqlResponse<unknown>>[]> {
  broken.upstream.respond(...responders);
  return executeUntilSent(broken, query);
}

describe("An open circuit breaker, after its reset time,", () => {
  it("lets one probe pass and rejects all other requests immediately", async () => {
    const hold = held();
    const responses = await probe(operations.get_sip, hold.responder);
    const others = await Promise.all(
      // A request for alice would wait for the response to the probe.
      [...Object.values(operations), ...Object.values(operations)].map((query) =>
        broken.gateway.execute(query.replace("alice", "bob")),
      ),
    );
    for (const { errors } of others) {
      expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
      expect(errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(0);
    }
    expect(requests()).toEqual(["get_sip"]);
    expect(await isClosed()).toBe(false);
    hold.release();
    const outcomes = (await Promise.all(responses)).map(outcomeOf);
    expect(outcomes).toContain("done");
    expect(requests()).toEqual(["get_sip"]);
  });

  it.each<[string, Responder]>([
    ["success", {}],
    ["unknown username", refusal],
    ["rejection", { body: { code: "cmi-404" } }],
    ["rejected account", { status: 420, body: { code: 420 } }],
    ["page of HTML", { body: "<h1>Back soon</h1>" }],
    ["code of 503", { body: { code: "cmi-503" } }],
  ])("closes when the response to the probe is a %s", async (_, responder) => {
    await Promise.all(await probe(operations.get_sip, responder, found));
    expect(await isClosed()).toBe(true);
    expect(outcomeOf(await broken.gateway.execute(operations.get_sip))).toBe("done");
    expect(reported(closing)).toHaveLength(1);
  });

  it.each<[string, Responder]>([
    ["an outage", outage],
    ["a closed connection", cut],
  ])("stays open when the probe ends with %s, and the next probe may close it", async (_, responder) => {
    const responses = await probe(operations.get_sip, responder);
    expect(new Set((await Promise.all(responses)).map(outcomeOf)).has("done")).toBe(false);
    expect(await isClosed()).toBe(false);
    expect(requests()).toEqual(["get_sip"]);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isClosed()).toBe(true);
  });

  it.each(
    writes,
  )("allows %s as the probe, and the next one reconciles it when its response is lost", async (operation) => {
    const { taken } = traces[operation];
    const responses = await probe(mutations[operation], cut, taken);
    const outcomes = (await Promise.all(responses)).map(outcomeOf);
    expect(outcomes.find((outcome) => outcome !== "UPSTREAM_UNAVAILABLE")).toBe("done");
    expect(requests().slice(0, 2)).toEqual([operation, "get_sip"]);
    expect(await isClosed()).toBe(true);
  });

  it("needs ten further failures in a row to open again", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.respond(outage);
    await broken.gateway.execute(operations.get_sip);
    expect(await isClosed()).toBe(true);
  });

  it("needs ten further failures also after a probe that was rejected", async () => {
    await Promise.all(await probe(operations.get_sip, { body: { code: "cmi-404" } }));
    broken.upstream.respond(outage);
    await broken.gateway.execute(operations.get_sip);
    expect(await isClosed()).toBe(true);
  });
});

describe("The log", () => {
  it("has one entry when the circuit breaker opens, and one when it closes", async () => {
    for (let count = 0; count < 5; count++) await broken.gateway.execute(operations.get_sip);
    expect(reported(opening)).toMatchObject([{ level: 50 }]);
    expect(reported(closing)).toEqual([]);
    await Promise.all(await probe(operations.get_sip, found));
    for (let count = 0; count < 5; count++) await broken.gateway.execute(operations.get_sip);
    expect(reported(opening)).toHaveLength(1);
    expect(reported(closing)).toMatchObject([{ level: 40 }]);
  });

  it("has another entry when the circuit breaker opens again", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.respond(outage);
    await until(async () => {
      await broken.gateway.execute(operations.get_sip);
      return !(await isClosed());
    });
    expect(reported(opening)).toHaveLength(2);
  });
});

describe("A client that disconnects during the probe", () => {
  it("leaves the circuit breaker open until another probe", async () => {
    const responses: unknown[] = [];
    broken.upstream.respond(() => {});
    await until(async () => {
      if (requests().length > 0) return true;
      responses.push(abandon(broken.gateway, operations.get_sip, () => true));
      return false;
    });
    await Promise.all(responses);
    await until(() => broken.upstream.connections.open === 0);
    expect(await isClosed()).toBe(false);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isClosed()).toBe(true);
  });
});
