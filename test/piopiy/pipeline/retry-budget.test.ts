import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
} from "../../support/gateway/broken-gateway.js";
import { alice, type Responder, send } from "../../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  // On a busy machine the queue of 200 reads takes longer than the default deadline.
  broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "60000" });
});
afterEach(() => broken.close());

/** Reads these endpoints in one operation. Returns the codes of the failures. */
async function read(names: readonly string[]): Promise<string[]> {
  const fields = names.map((name, index) => `r${index}: sipEndpoint(username: "${name}") { type }`);
  const { errors = [] } = await broken.gateway.execute(`{ ${fields.join(" ")} }`);
  return errors.map(({ extensions }) => extensions.code);
}

const named = (kind: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${kind}-${from + index}`);

/** Returns the number of upstream requests for each name of this kind. */
function attempts(kind: string): number[] {
  const counts = new Map<string, number>();
  for (const { body } of broken.upstream.requests) {
    const { username } = JSON.parse(body);
    if (username.startsWith(`${kind}-`)) counts.set(username, (counts.get(username) ?? 0) + 1);
  }
  return [...counts.values()];
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

/** Responds with the failure for names that begin with `bad-`, and with success for others. */
function failing(failure: Responder): Responder {
  return (response, request) => {
    const { username } = JSON.parse(request.body);
    if (!username.startsWith("bad-")) send(response, { body: { ...alice, username } });
    else if (typeof failure === "function") failure(response, request);
    else send(response, failure);
  };
}

// None of them opens the circuit breaker: 429 is no outage, and successes for other names come in between.
const failures: [string, Responder, string][] = [
  ["429", { status: 429 }, "UPSTREAM_UNAVAILABLE"],
  ["503", { status: 503 }, "UPSTREAM_UNAVAILABLE"],
  ["a closed connection", (response) => response.destroy(), "UPSTREAM_UNAVAILABLE"],
  ["HTML", { body: "<h1>Back soon</h1>" }, "UPSTREAM_INVALID_RESPONSE"],
];

describe("Retries of reads that fail with", () => {
  it.each(failures)("%s are at most ten while there are few reads", async (_, failure, code) => {
    broken.upstream.respond(failing(failure));
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
  it("at most a tenth is retried, and each other one fails after one attempt", async () => {
    broken.upstream.respond(failing({ status: 429 }));
    const responses = await Promise.all([0, 50, 100, 150].map((from) => read(named("bad", 50, from))));
    expect(responses.flat()).toEqual(Array(200).fill("UPSTREAM_UNAVAILABLE"));
    const counts = attempts("bad");
    expect(counts).toHaveLength(200);
    expect(sum(counts)).toBeLessThanOrEqual(200 + 20);
    expect(sum(counts)).toBeGreaterThanOrEqual(200 + 10);
    expect(counts.filter((count) => count === 1).length).toBeGreaterThanOrEqual(180);
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });

  it("one after another, at most a tenth is retried too", async () => {
    broken.upstream.respond(failing({ status: 429 }));
    for (let from = 0; from < 200; from += 50) await read(named("bad", 50, from));
    expect(sum(attempts("bad"))).toBeLessThanOrEqual(200 + 20);
  });
});

describe("After 300 successful reads", () => {
  it("more than ten retries are allowed: a tenth of all reads", async () => {
    broken.upstream.respond(failing({ status: 503 }));
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

describe("The retry budget", () => {
  it("is shared by all reads of a gateway, get_sip and list_sip", async () => {
    broken.upstream.respond({ status: 429 });
    await read(named("bad", 5));
    expect(sum(attempts("bad"))).toBe(15);
    broken.upstream.respond({ status: 429 });
    expect(await fail(broken, "list_sip")).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", attempts: 1 });
  });

  it("does not limit the reconciliation of writes", async () => {
    broken.upstream.respond({ status: 429 });
    await read(named("bad", 5));
    broken.upstream.respond((response) => response.destroy(), {}, {});
    const { errors } = await broken.gateway.execute(operations.remove_sip);
    expect(errors).toBeUndefined();
    expect(broken.upstream.requests.map(({ operation }) => operation)).toEqual([
      "remove_sip",
      "get_sip",
      "remove_sip",
    ]);
  });

  it("is not spent by rejections, which are never retried", async () => {
    broken.upstream.respond({ body: { code: "cmi-404" } });
    await read(named("bad", 50));
    expect(sum(attempts("bad"))).toBe(50);
    broken.upstream.respond({ status: 429 });
    expect(await fail(broken, "get_sip")).toMatchObject({ attempts: 3 });
  });
});
