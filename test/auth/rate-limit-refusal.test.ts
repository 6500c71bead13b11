import { afterEach, describe, expect, it } from "@jest/globals";
import {
  type Answer,
  type AnswerError,
  startGateway,
  type TestGateway,
} from "../support/gateway/test-gateway.js";

const one = "{ __typename }";
const rows = (count: number) => `{ sipEndpoints(first: ${count}) { nodes { username } } }`;
const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(perMinute: number): Promise<void> {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: String(perMinute) } });
}

/** The five headers, after a check that they fit each other. */
function budget({ headers }: Answer<unknown>): { limit: number; left: number; reset: number } {
  const [limit, left, reset] = ["limit", "remaining", "reset"].map((name) =>
    headers.get(`ratelimit-${name}`),
  );
  expect(headers.get("ratelimit-policy")).toBe(`"cost";q=${limit};w=60`);
  expect(headers.get("ratelimit")).toBe(`"cost";r=${left};t=${reset}`);
  expect(reset).toMatch(/^([1-9]|[1-5]\d|60)$/);
  return { limit: Number(limit), left: Number(left), reset: Number(reset) };
}

/** Makes sure that an answer is a refusal for want of budget, and that nothing was asked upstream. */
async function expectRefusal(answer: Answer<unknown>): Promise<string> {
  expect(answer).toMatchObject({
    status: 429,
    errors: [{ extensions: { code: "RATE_LIMITED", retryable: true } }],
  });
  const [error] = answer.errors as [AnswerError];
  const { requestId, retryAfterMs } = error.extensions;
  const { reset } = budget(answer);
  expect(Number(retryAfterMs)).toBeGreaterThan(0);
  expect(Math.ceil(Number(retryAfterMs) / 1000)).toBe(reset);
  expect(answer.headers.get("retry-after")).toBe(String(reset));
  expect(requestId).toBe(answer.headers.get("x-request-id"));
  expect(await gateway.calls()).toEqual([]);
  return error.message;
}

describe("The headers of an answer", () => {
  it("tell the budget, and what is left of it", async () => {
    await start(30);
    expect(budget(await gateway.ask(one))).toMatchObject({ limit: 30, left: 29 });
    expect(budget(await gateway.ask(rows(10)))).toMatchObject({ limit: 30, left: 7 });
    expect(budget(await gateway.ask("{ nothing }"))).toMatchObject({ limit: 30, left: 6 });
  });
});

describe("A caller who has spent the budget", () => {
  it.each([
    ["a read", rows(1)],
    ["a change", remove],
    ["what cannot be read", "{"],
    ["nothing", ""],
  ])("is refused %s, and learns when to come back", async (_, query) => {
    await start(1);
    expect(budget(await gateway.ask(one)).left).toBe(0);
    const answer = await gateway.ask(query);
    const message = await expectRefusal(answer);
    expect(message).toMatch(
      / 0 of the 1 that "127\.0\.0\.1" may spend a minute .*Try again in \d+ seconds\.$/,
    );
    expect(budget(answer).left).toBe(0);
  });

  it("is not let in sooner or later by trying", async () => {
    await start(1);
    await gateway.ask(one);
    const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.ask(one)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(429));
    for (const answer of answers) expect(budget(answer).left).toBe(0);
  });
});

describe("An operation that costs more than is left", () => {
  it("is refused and takes off what a request costs, so that a cheap one still passes", async () => {
    await start(40);
    const answer = await gateway.ask(rows(30));
    await expectRefusal(answer);
    expect(budget(answer).left).toBe(39);
    const cheap = await gateway.ask(rows(10));
    expect(cheap.status).toBe(200);
    expect(budget(cheap).left).toBe(17);
    expect((await gateway.calls()).map(({ operation }) => operation)).toEqual(["list_sip"]);
  });

  it("passes when it costs the whole budget", async () => {
    await start(40);
    const answer = await gateway.ask(rows(18));
    expect([answer.status, budget(answer).left]).toEqual([200, 0]);
  });

  const never = /more than a whole minute's budget: ask for less\.$/;
  it("says that time does not help when it costs more than the whole budget", async () => {
    await start(20);
    expect(await expectRefusal(await gateway.ask(rows(100)))).toMatch(never);
  });

  it("says that time does not help when it costs one more than the whole budget", async () => {
    await start(40);
    expect(await expectRefusal(await gateway.ask(rows(19)))).toMatch(never);
  });

  it("says when to try again when it is not", async () => {
    await start(30);
    await gateway.ask(rows(10));
    await gateway.reset();
    expect(await expectRefusal(await gateway.ask(rows(10)))).toMatch(/Try again in \d+ seconds\.$/);
  });

  it("changes nothing when it is a change", async () => {
    await start(13);
    const changes = ["alice", "bob"].map(
      (username, n) => `m${n}: removeSipEndpoint(input: { username: "${username}" }) { username }`,
    );
    await expectRefusal(await gateway.ask(`mutation { ${changes.join(" ")} }`));
    const { data } = await gateway.ask<{ sipEndpoints: unknown }>("{ sipEndpoints { totalCount } }");
    expect(data).toEqual({ sipEndpoints: { totalCount: 4 } });
  });
});
