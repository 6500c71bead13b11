import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { hangUp, held } from "../support/gateway/abandoned-operations.js";
import {
  type BrokenGateway,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import { cut, found, mutations, outcomeOf, refusal, traces } from "../support/gateway/lost-writes.js";
import { probe as askUntilCalled, reads } from "../support/gateway/reads.js";
import type { Answer } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { type Behaviour } from "../support/upstream/broken-upstream.js";

const outage = { status: 500, body: "<h1>Something is wrong</h1>" };
const opening = /PIOPIY is out of order/;
const closing = /PIOPIY answers again/;

let broken: BrokenGateway;
/** Every test begins with a PIOPIY that is out of order, and is to be probed soon. */
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", BREAKER_RESET_MS: "400" });
  broken.upstream.answer(outage);
  await broken.gateway.ask(reads("u", 10));
  expect(await isAsked()).toBe(false);
});
afterEach(() => broken.close());

const calls = () => broken.upstream.calls.map(({ operation }) => operation);
const told = (words: RegExp) =>
  broken.gateway.log.filter((line) => words.test(line)).map((line) => JSON.parse(line));

async function isAsked(): Promise<boolean> {
  const response = await fetch(`${broken.gateway.origin}/health/ready`);
  expect(response.status).toBe(200);
  const { piopiy } = (await response.json()) as { piopiy: string };
  expect(["asked", "out of order"]).toContain(piopiy);
  return piopiy === "asked";
}

/** Answers calls like this, and asks until one gets through. */
function probe(query: string, ...behaviours: Behaviour[]): Promise<Promise<Answer<unknown>>[]> {
  broken.upstream.answer(...behaviours);
  return askUntilCalled(broken, query);
}

describe("Once PIOPIY has been left alone for a while", () => {
  it("one probe goes out, while all others are answered at once", async () => {
    const hold = held();
    const answers = await probe(operations.get_sip, hold.behaviour);
    const others = await Promise.all(
      // Who asks for alice too waits with the probe for its answer.
      [...Object.values(operations), ...Object.values(operations)].map((query) =>
        broken.gateway.ask(query.replace("alice", "bob")),
      ),
    );
    for (const { errors } of others) {
      expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
      expect(errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(0);
    }
    expect(calls()).toEqual(["get_sip"]);
    expect(await isAsked()).toBe(false);
    hold.release();
    const outcomes = (await Promise.all(answers)).map(outcomeOf);
    expect(outcomes).toContain("done");
    expect(calls()).toEqual(["get_sip"]);
  });

  it.each<[string, Behaviour]>([
    ["success", {}],
    ["name that is not there", refusal],
    ["refusal", { body: { code: "cmi-404" } }],
    ["refused account", { status: 420, body: { code: 420 } }],
    ["page of HTML", { body: "<h1>Back soon</h1>" }],
    ["code of 503", { body: { code: "cmi-503" } }],
  ])("a %s as answer to the probe ends it", async (_, behaviour) => {
    await Promise.all(await probe(operations.get_sip, behaviour, found));
    expect(await isAsked()).toBe(true);
    expect(outcomeOf(await broken.gateway.ask(operations.get_sip))).toBe("done");
    expect(told(closing)).toHaveLength(1);
  });

  it.each<[string, Behaviour]>([
    ["outage", outage],
    ["cut connection", cut],
  ])("an answer like an %s to the probe lengthens it, and the next probe may end it", async (_, behaviour) => {
    const answers = await probe(operations.get_sip, behaviour);
    expect(new Set((await Promise.all(answers)).map(outcomeOf)).has("done")).toBe(false);
    expect(await isAsked()).toBe(false);
    expect(calls()).toEqual(["get_sip"]);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isAsked()).toBe(true);
  });

  it.each(
    writes,
  )("%s may be the probe, and is settled by the next one when its answer is lost", async (operation) => {
    const { taken } = traces[operation];
    const answers = await probe(mutations[operation], cut, taken);
    const outcomes = (await Promise.all(answers)).map(outcomeOf);
    expect(outcomes.find((outcome) => outcome !== "UPSTREAM_UNAVAILABLE")).toBe("done");
    expect(calls().slice(0, 2)).toEqual([operation, "get_sip"]);
    expect(await isAsked()).toBe(true);
  });

  it("ten further failures in a row are needed to end the asking again", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.answer(outage);
    await broken.gateway.ask(operations.get_sip);
    expect(await isAsked()).toBe(true);
  });

  it("so they are after a probe that was refused", async () => {
    await Promise.all(await probe(operations.get_sip, { body: { code: "cmi-404" } }));
    broken.upstream.answer(outage);
    await broken.gateway.ask(operations.get_sip);
    expect(await isAsked()).toBe(true);
  });
});

describe("The log", () => {
  it("tells once that PIOPIY is out of order, and once that it answers again", async () => {
    for (let count = 0; count < 5; count++) await broken.gateway.ask(operations.get_sip);
    expect(told(opening)).toMatchObject([{ level: 50 }]);
    expect(told(closing)).toEqual([]);
    await Promise.all(await probe(operations.get_sip, found));
    for (let count = 0; count < 5; count++) await broken.gateway.ask(operations.get_sip);
    expect(told(opening)).toHaveLength(1);
    expect(told(closing)).toMatchObject([{ level: 40 }]);
  });

  it("tells it again when PIOPIY is out of order another time", async () => {
    await Promise.all(await probe(operations.get_sip, found));
    broken.upstream.answer(outage);
    await until(async () => {
      await broken.gateway.ask(operations.get_sip);
      return !(await isAsked());
    });
    expect(told(opening)).toHaveLength(2);
  });
});

describe("A caller who hangs up during the probe", () => {
  it("leaves PIOPIY unasked until another probe", async () => {
    const answers: unknown[] = [];
    broken.upstream.answer(() => {});
    await until(async () => {
      if (calls().length > 0) return true;
      answers.push(hangUp(broken.gateway, operations.get_sip, () => true));
      return false;
    });
    await Promise.all(answers);
    await until(() => broken.upstream.connections.open === 0);
    expect(await isAsked()).toBe(false);
    await Promise.all(await probe(operations.get_sip, found));
    expect(await isAsked()).toBe(true);
  });
});
