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

describe("A client that has used up its rate limit", () => {
  it.each([
    ["a read", rows(1)],
    ["a mutation", remove],
    ["a syntax error", "{"],
    ["an empty document", ""],
  ])("gets 429 for %s, with the time of the next try", async (_, query) => {
    await start(1);
    expect(quota(await gateway.execute(one)).left).toBe(0);
    const response = await gateway.execute(query);
    const message = await expectRefusal(response);
    expect(message).toMatch(
      /^The cost of this request is 1, but the client "127\.0\.0\.1" has only 0 of its 1 units left .*Try again in \d+ seconds\.$/,
    );
    expect(quota(response).left).toBe(0);
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
    await start(40);
    const response = await gateway.execute(rows(30));
    await expectRefusal(response);
    expect(quota(response).left).toBe(39);
    const cheap = await gateway.execute(rows(10));
    expect(cheap.status).toBe(200);
    expect(quota(cheap).left).toBe(17);
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual(["list_sip"]);
  });

  it("is accepted when it costs exactly the units that are left", async () => {
    await start(40);
    const response = await gateway.execute(rows(18));
    expect([response.status, quota(response).left]).toEqual([200, 0]);
  });

  const never = /exceeds the limit of a whole minute: select less, or split the operation\.$/;
  it("gets another message when it costs more than the limit of a minute", async () => {
    await start(20);
    expect(await expectRefusal(await gateway.execute(rows(100)))).toMatch(never);
  });

  it("gets this message when it costs one unit more than the limit of a minute", async () => {
    await start(40);
    expect(await expectRefusal(await gateway.execute(rows(19)))).toMatch(never);
  });

  it("gets the time of the next try when it costs less than that", async () => {
    await start(30);
    await gateway.execute(rows(10));
    await gateway.reset();
    expect(await expectRefusal(await gateway.execute(rows(10)))).toMatch(/Try again in \d+ seconds\.$/);
  });

  it("has no effect when it is a mutation", async () => {
    await start(13);
    const changes = ["alice", "bob"].map(
      (username, n) => `m${n}: removeSipEndpoint(input: { username: "${username}" }) { username }`,
    );
    await expectRefusal(await gateway.execute(`mutation { ${changes.join(" ")} }`));
    const { data } = await gateway.execute<{ sipEndpoints: unknown }>("{ sipEndpoints { totalCount } }");
    expect(data).toEqual({ sipEndpoints: { totalCount: 4 } });
  });
});
