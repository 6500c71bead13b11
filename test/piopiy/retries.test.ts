import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
} from "../support/gateway/broken-gateway.js";
import { alice, type Behaviour, send } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway();
});
afterEach(() => broken.close());

/** Reads these endpoints in one operation, and tells the codes of the failures. */
async function read(names: readonly string[]): Promise<string[]> {
  const fields = names.map((name, index) => `r${index}: sipEndpoint(username: "${name}") { type }`);
  const { errors = [] } = await broken.gateway.ask(`{ ${fields.join(" ")} }`);
  return errors.map(({ extensions }) => extensions.code);
}

const named = (kind: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${kind}-${from + index}`);

/** How many calls there were for each name of this kind. */
function attempts(kind: string): number[] {
  const counts = new Map<string, number>();
  for (const { body } of broken.upstream.calls) {
    const { username } = JSON.parse(body);
    if (username.startsWith(`${kind}-`)) counts.set(username, (counts.get(username) ?? 0) + 1);
  }
  return [...counts.values()];
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

/** PIOPIY fails for bad names only. */
function failing(failure: Behaviour): Behaviour {
  return (response, call) => {
    const { username } = JSON.parse(call.body);
    if (!username.startsWith("bad-")) send(response, { body: { ...alice, username } });
    else if (typeof failure === "function") failure(response, call);
    else send(response, failure);
  };
}

// Neither opens the breaker: 429 is no outage, and answers for other names come in between.
const failures: [string, Behaviour, string][] = [
  ["429", { status: 429 }, "UPSTREAM_UNAVAILABLE"],
  ["503", { status: 503 }, "UPSTREAM_UNAVAILABLE"],
  ["a connection that is cut", (response) => response.destroy(), "UPSTREAM_UNAVAILABLE"],
  ["HTML", { body: "<h1>Back soon</h1>" }, "UPSTREAM_INVALID_RESPONSE"],
];

describe("Retries of reads that fail with", () => {
  it.each(failures)("%s are ten at most while the gateway is quiet", async (_, failure, code) => {
    broken.upstream.answer(failing(failure));
    for (let from = 0; from < 48; from += 3) {
      expect(await read(named("good", 1, from))).toEqual([]);
      expect(await read(named("bad", 3, from))).toEqual(Array(3).fill(code));
    }
    expect(sum(attempts("bad"))).toBe(48 + 10);
    expect(attempts("bad").filter((count) => count === 1).length).toBeGreaterThanOrEqual(38);
    expect(attempts("good")).toEqual(Array(16).fill(1));
  });
});

describe("Of 200 reads that fail", () => {
  it("no more than a tenth is retried, and each one without a retry left fails after one attempt", async () => {
    broken.upstream.answer(failing({ status: 429 }));
    const answers = await Promise.all([0, 50, 100, 150].map((from) => read(named("bad", 50, from))));
    expect(answers.flat()).toEqual(Array(200).fill("UPSTREAM_UNAVAILABLE"));
    const counts = attempts("bad");
    expect(counts).toHaveLength(200);
    expect(sum(counts)).toBeLessThanOrEqual(200 + 20);
    expect(sum(counts)).toBeGreaterThanOrEqual(200 + 10);
    expect(counts.filter((count) => count === 1).length).toBeGreaterThanOrEqual(180);
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });

  it("so many follow one another: the share of retries stays the same", async () => {
    broken.upstream.answer(failing({ status: 429 }));
    for (let from = 0; from < 200; from += 50) await read(named("bad", 50, from));
    expect(sum(attempts("bad"))).toBeLessThanOrEqual(200 + 20);
  });
});

describe("After 300 reads that went well", () => {
  it("more than ten retries may follow: a tenth of all reads", async () => {
    broken.upstream.answer(failing({ status: 503 }));
    for (let from = 0; from < 300; from += 50) expect(await read(named("good", 50, from))).toEqual([]);
    for (let from = 0; from < 30; from += 3) {
      expect(await read(named("bad", 3, from))).toEqual(Array(3).fill("UPSTREAM_UNAVAILABLE"));
      expect(await read(named("fine", 1, from))).toEqual([]);
    }
    const retries = sum(attempts("bad")) - 30;
    expect(retries).toBeGreaterThan(20);
    expect(retries).toBeLessThanOrEqual(340 * 0.1);
  });
});

describe("The budget of retries", () => {
  it("is one for all reads of a gateway: what get_sip has spent list_sip lacks", async () => {
    broken.upstream.answer({ status: 429 });
    await read(named("bad", 5));
    expect(sum(attempts("bad"))).toBe(15);
    broken.upstream.answer({ status: 429 });
    expect(await fail(broken, "list_sip")).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", attempts: 1 });
  });

  it("is not needed by writes, which are settled without it", async () => {
    broken.upstream.answer({ status: 429 });
    await read(named("bad", 5));
    broken.upstream.answer((response) => response.destroy(), {}, {});
    const { errors } = await broken.gateway.ask(operations.remove_sip);
    expect(errors).toBeUndefined();
    expect(broken.upstream.calls.map(({ operation }) => operation)).toEqual([
      "remove_sip",
      "get_sip",
      "remove_sip",
    ]);
  });

  it("is not touched by what cannot pass: refusals are never retried", async () => {
    broken.upstream.answer({ body: { code: "cmi-404" } });
    await read(named("bad", 50));
    expect(sum(attempts("bad"))).toBe(50);
    broken.upstream.answer({ status: 429 });
    expect(await fail(broken, "get_sip")).toMatchObject({ attempts: 3 });
  });
});
