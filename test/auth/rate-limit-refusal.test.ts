import { afterEach, describe, expect, it } from "@jest/globals";
import {
  type GraphqlResponse,
  type ResponseError,
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

/** Returns the rate limit of the response's headers, which must agree with each other. */
function quota({ headers }: GraphqlResponse<unknown>): { limit: number; left: number; reset: number } {
  const [limit, left, reset] = ["limit", "remaining", "reset"].map((name) =>
    headers.get(`ratelimit-${name}`),
  );
  expect(headers.get("ratelimit-policy")).toBe(`"cost";q=${limit};w=60`);
  expect(headers.get("ratelimit")).toBe(`"cost";r=${left};t=${reset}`);
  expect(reset).toMatch(/^([1-9]|[1-5]\d|60)$/);
  return { limit: Number(limit), left: Number(left), reset: Number(reset) };
}

/** Expects a response with `RATE_LIMITED` and no upstream request. Returns its message. */
async function expectRefusal(response: GraphqlResponse<unknown>): Promise<string> {
  expect(response).toMatchObject({
    status: 429,
    errors: [{ extensions: { code: "RATE_LIMITED", retryable: true } }],
  });
  const [error] = response.errors as [ResponseError];
  const { requestId, retryAfterMs } = error.extensions;
  const { reset } = quota(response);
  expect(Number(retryAfterMs)).toBeGreaterThan(0);
  expect(Math.ceil(Number(retryAfterMs) / 1000)).toBe(reset);
  expect(response.headers.get("retry-after")).toBe(String(reset));
  expect(requestId).toBe(response.headers.get("x-request-id"));
  expect(await gateway.upstreamRequests()).toEqual([]);
  return error.message;
}

describe("The headers of a response", () => {
  it("contain the rate limit and the units that are left", async () => {
    await start(30);
    expect(quota(await gateway.execute(one))).toMatchObject({ limit: 30, left: 29 });
    expect(quota(await gateway.execute(rows(10)))).toMatchObject({ limit: 30, left: 7 });
    expect(quota(await gateway.execute("{ nothing }"))).toMatchObject({ limit: 30, left: 6 });
  });
});

/** Uses up a rate limit of 20 units. */
async function startWithoutUnits(): Promise<void> {
  await start(20);
  await gateway.execute(rows(7));
  expect(quota(await gateway.execute(one)).left).toBe(0);
  await gateway.reset();
}

const usedUp =
  /^The client "127\.0\.0\.1" has used up its 20 units of this minute \(RATE_LIMIT_PER_MINUTE\)\. Try again in \d+ seconds\.$/;

describe("A client that has used up its rate limit", () => {
  it.each([
    ["a read", rows(1), 13],
    ["a mutation", remove, 7],
    ["a field without data", one, 1],
  ])("gets 429 for %s, with the cost of the operation and the time of the next try", async (_, query, cost) => {
    await startWithoutUnits();
    const response = await gateway.execute(query);
    const message = await expectRefusal(response);
    expect(message).toMatch(
      new RegExp(
        `^The cost of this request is ${cost}, but the client "127\\.0\\.0\\.1" has only 0 of its 20 units left in this minute ` +
          String.raw`\(RATE_LIMIT_PER_MINUTE\)\. Try again in \d+ seconds\.$`,
      ),
    );
    expect(response.extensions).toEqual({ cost: { requested: cost, remaining: 0 } });
    expect(quota(response).left).toBe(0);
  });

  it.each([
    ["a syntax error", { query: "{" }],
    ["an invalid document", { query: "{ nothing }" }],
    ["an empty document", { query: "" }],
    ["a body that is not a GraphQL request", [1]],
    ["a body that is too deep", { query: one, variables: JSON.parse("[".repeat(80) + "]".repeat(80)) }],
    ["a hash that is not known", { extensions: { persistedQuery: { version: 1, sha256Hash: "00" } } }],
  ])("gets 429 for %s, without a cost", async (_, body) => {
    await startWithoutUnits();
    for (const accept of ["application/json", "application/graphql-response+json"]) {
      const response = await fetch(`${gateway.origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", accept },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
      expect(response.headers.get("content-type")).toContain(accept);
      const result = { status: response.status, headers: response.headers, data: null, ...JSON.parse(text) };
      expect(await expectRefusal(result)).toMatch(usedUp);
      expect(result.extensions).toBeUndefined();
    }
  });

  it("gets 429 without the cost of the operation after 600 rejected requests in a minute, and its body is not read", async () => {
    await startWithoutUnits();
    const messages = new Map<string, number>();
    for (let round = 0; round < 13; round++) {
      const responses = await Promise.all(Array.from({ length: 50 }, () => gateway.execute(rows(1))));
      expect(responses.map(({ status }) => status)).toEqual(Array(50).fill(429));
      for (const { errors } of responses) {
        const kind = usedUp.test(errors?.[0]?.message ?? "") ? "used up" : "cost";
        messages.set(kind, (messages.get(kind) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(messages)).toEqual({ cost: 600, "used up": 50 });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("does not change its waiting time by further requests", async () => {
    await start(1);
    await gateway.execute(one);
    const responses = await Promise.all(Array.from({ length: 20 }, () => gateway.execute(one)));
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(429));
    for (const response of responses) expect(quota(response).left).toBe(0);
  });
});

describe("An operation that costs more than is left", () => {
  it("is rejected at the cost of a request, so that a cheap operation still succeeds", async () => {
    await start(60);
    await gateway.execute(rows(10));
    await gateway.reset();
    const response = await gateway.execute(rows(30));
    await expectRefusal(response);
    expect(quota(response).left).toBe(37);
    const cheap = await gateway.execute(rows(10));
    expect(cheap.status).toBe(200);
    expect(quota(cheap).left).toBe(15);
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual(["list_sip"]);
  });

  it("is accepted when it costs exactly the units that are left", async () => {
    await start(40);
    const response = await gateway.execute(rows(18));
    expect([response.status, quota(response).left]).toEqual([200, 0]);
  });

  it("gets the time of the next try when it costs less than that", async () => {
    await start(30);
    await gateway.execute(rows(10));
    await gateway.reset();
    expect(await expectRefusal(await gateway.execute(rows(10)))).toMatch(/Try again in \d+ seconds\.$/);
  });

  it("has no effect when it is a mutation", async () => {
    await start(15);
    await gateway.execute("{ a: __typename b: __typename }");
    await gateway.reset();
    const changes = ["alice", "bob"].map(
      (username, n) => `m${n}: removeSipEndpoint(input: { username: "${username}" }) { username }`,
    );
    await expectRefusal(await gateway.execute(`mutation { ${changes.join(" ")} }`));
    const { data } = await gateway.execute<{ sipEndpoints: unknown }>("{ sipEndpoints { totalCount } }");
    expect(data).toEqual({ sipEndpoints: { totalCount: 4 } });
  });
});

describe("An operation that costs more than the limit of a minute", () => {
  it.each([
    ["much more", 20, rows(100), 182],
    ["one unit more", 40, rows(19), 41],
    ["more, as a mutation", 6, remove, 7],
  ])("is rejected with 422 and is not retryable: %s", async (_, perMinute, query, cost) => {
    await start(perMinute);
    for (const accept of ["application/json", "application/graphql-response+json"]) {
      const response = await gateway.execute(query, {}, { accept });
      const { left } = quota(response);
      expect(response.status).toBe(422);
      expect(response.headers.get("retry-after")).toBeNull();
      const requestId = response.headers.get("x-request-id");
      expect(response.errors).toEqual([
        {
          message:
            `The cost of this request is ${cost}, but the client "127.0.0.1" has only ${left} of its ${perMinute} units left in this ` +
            "minute (RATE_LIMIT_PER_MINUTE). The cost exceeds the limit of a whole minute: select less, or split the operation.",
          extensions: { code: "RATE_LIMITED", retryable: false, requestId },
        },
      ]);
      expect(response.extensions).toEqual({ cost: { requested: cost, remaining: left } });
    }
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("is not retryable when no unit is left either", async () => {
    await startWithoutUnits();
    const { status, errors, extensions } = await gateway.execute(rows(100));
    expect([status, extensions]).toEqual([422, { cost: { requested: 182, remaining: 0 } }]);
    expect(errors).toMatchObject([{ extensions: { code: "RATE_LIMITED", retryable: false } }]);
  });
});
