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
const opening = /PIOPIY is out of order/;
const closing = /PIOPIY answers again/;

let broken: BrokenGateway;
/** Every test begins with a PIOPIY that is out of order, and is to be probed soon. */
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", BREAKER_RESET_MS: "1000" });
  broken.upstream.respond(outage);
  await broken.gateway.execute(reads("u", 10));
  expect(await isAsked()).toBe(false);
});
afterEach(() => broken.close());

const requests = () => broken.upstream.requests.map(({ operation }) => operation);
const reported = (words: RegExp) =>
  broken.gateway.log.filter((line) => words.test(line)).map((line) => JSON.parse(line));

async function isAsked(): Promise<boolean> {
  const response = await fetch(`${broken.gateway.origin}/health/ready`);
  expect(response.status).toBe(200);
  const { piopiy } = (await response.json()) as { piopiy: string };
  expect(["up", "down"]).toContain(piopiy);
  return piopiy === "up";
}

/** Answers calls like this, and asks until one gets through. */
function probe(query: string, ...responders: Responder[]): Promise<Promise<GraphqlResponse<unknown>>[]> {
  broken.upstream.respond(...responders);
  return executeUntilSent(broken, query);
}

describe("Once PIOPIY has been left alone for a while", () => {
  it("one probe goes out, while all others are answered at once", async () => {
    const hold = held();
    const responses = await probe(operations.get_sip, hold.responder);
    const others = await Promise.all(
      // Who asks for alice too waits with the probe for its answer.
      [...Object.values(operations), ...Object.values(operations)].map((query) =>
        broken.gateway.execute(query.replace("alice", "bob")),
      ),
    );
    for (const { errors } of others) {
      expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
      expect(errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(0);
    }
    expect(requests()).toEqual(["get_sip"]);
    expect(await isAsked()).toBe(false);
    hold.release();
    const outcomes = (await Promise.all(responses)).map(outcomeOf);
    expect(outcomes).toContain("done");
    expect(requests()).toEqual(["get_sip"]);
  });

  it.each<[string, Responder]>([
    ["success", {}],
    ["name that is not there", refusal],
    ["refusal", { body: { code: "cmi-404" } }],
    ["refused account", { status: 420, body: { code: 420 } }],
    ["page of HTML", { body: "<h1>Back soon</h1>" }],
    ["code of 503", { body: { code: "cmi-503" } }],
  ])("a %s as answer to the probe ends it", async (_, responder) => {
    await Promise.all(await probe(operations.get_sip, responder, found));
    expect(await isAsked()).toBe(true);
    expect(outcomeOf(await broken.gateway.execute(operations.get_sip))).toBe("done");
    expect(reported(closing)).toHaveLength(1);
  });

  it.each<[string, Responder]>([
    ["outage", outage],
    ["cut connection", cut],
  ])("an answer like an %s to the probe lengthens it, and the next probe may end it", async (_, responder) => {
    const responses = await probe(operations.get_sip, responder);
    expect(new Set((await Promise.all(responses)).map(outcomeOf)).has("done")).toBe(false);
    expect(await isAsked()).toBe(false);
    expect(requests()).toEqual(["get_sip"]);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isAsked()).toBe(true);
  });

  it.each(
    writes,
  )("%s may be the probe, and is settled by the next one when its answer is lost", async (operation) => {
    const { taken } = traces[operation];
    const responses = await probe(mutations[operation], cut, taken);
    const outcomes = (await Promise.all(responses)).map(outcomeOf);
    expect(outcomes.find((outcome) => outcome !== "UPSTREAM_UNAVAILABLE")).toBe("done");
    expect(requests().slice(0, 2)).toEqual([operation, "get_sip"]);
    expect(await isAsked()).toBe(true);
  });

  it("ten further failures in a row are needed to end the asking again", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.respond(outage);
    await broken.gateway.execute(operations.get_sip);
    expect(await isAsked()).toBe(true);
  });

  it("so they are after a probe that was refused", async () => {
    await Promise.all(await probe(operations.get_sip, { body: { code: "cmi-404" } }));
    broken.upstream.respond(outage);
    await broken.gateway.execute(operations.get_sip);
    expect(await isAsked()).toBe(true);
  });
});

describe("The log", () => {
  it("tells once that PIOPIY is out of order, and once that it answers again", async () => {
    for (let count = 0; count < 5; count++) await broken.gateway.execute(operations.get_sip);
    expect(reported(opening)).toMatchObject([{ level: 50 }]);
    expect(reported(closing)).toEqual([]);
    await Promise.all(await probe(operations.get_sip, found));
    for (let count = 0; count < 5; count++) await broken.gateway.execute(operations.get_sip);
    expect(reported(opening)).toHaveLength(1);
    expect(reported(closing)).toMatchObject([{ level: 40 }]);
  });

  it("tells it again when PIOPIY is out of order another time", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.respond(outage);
    await until(async () => {
      await broken.gateway.execute(operations.get_sip);
      return !(await isAsked());
    });
    expect(reported(opening)).toHaveLength(2);
  });
});

describe("A caller who hangs up during the probe", () => {
  it("leaves PIOPIY unasked until another probe", async () => {
    const responses: unknown[] = [];
    broken.upstream.respond(() => {});
    await until(async () => {
      if (requests().length > 0) return true;
      responses.push(abandon(broken.gateway, operations.get_sip, () => true));
      return false;
    });
    await Promise.all(responses);
    await until(() => broken.upstream.connections.open === 0);
    expect(await isAsked()).toBe(false);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isAsked()).toBe(true);
  });
});
