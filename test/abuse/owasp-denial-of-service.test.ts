import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { limitsOf, post, production, send, times } from "./production.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { ...production, ...settings } });
}

const codes = (errors: readonly { extensions: { code: string } }[] | undefined) =>
  errors?.map(({ extensions }) => extensions.code);

describe("Query limiting", () => {
  it("depth limiting: a document that is deeper than the schema is rejected", async () => {
    await start();
    const { data, errors } = await gateway.execute(
      `{ sipEndpoints { ${"nodes { ".repeat(10)} username ${"} ".repeat(10)} } }`,
    );
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toEqual(["MAX_DEPTH"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([101, 10_000_000, 2_147_483_647, -1])("amount limiting: %i rows are rejected", async (first) => {
    await start();
    const query = "query ($first: Int!) { sipEndpoints(first: $first) { totalCount } }";
    const { data, errors } = await gateway.execute(query, { first });
    expect(data).toEqual({ sipEndpoints: null });
    expect(errors?.[0]?.message).toContain("must be between 0 and 100");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("pagination: without `first` a list of a thousand rows returns ten, with one upstream request", async () => {
    await start();
    await gateway.reset({ count: 1000 });
    const { data } = await gateway.execute<{ sipEndpoints: { nodes: object[] } }>(
      "{ sipEndpoints { nodes { username } } }",
    );
    expect(data.sipEndpoints.nodes).toHaveLength(10);
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });

  it("timeouts: an operation ends at its deadline, and the error names the setting", async () => {
    await start({ PIOPIY_DEADLINE_MS: "1000" });
    await gateway.addFault({ kind: "hang", times: 10 });
    const { data, errors } = await gateway.execute("{ sipEndpoints { nodes { type } } }");
    expect(data).toEqual({ sipEndpoints: null });
    expect(codes(errors)).toEqual(["UPSTREAM_TIMEOUT"]);
    expect(errors?.[0]?.message).toContain("PIOPIY_DEADLINE_MS");
    expect(errors?.[0]?.extensions.retryable).toBe(true);
  });
});

describe("Query cost analysis", () => {
  const rest = "sipEndpoints(first: $first) { nodes { type } }";
  const entities =
    "query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { type } } }";
  const doubling = times(30, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`);

  it.each<[string, number, string, unknown]>([
    ["a literal", 217, "{ sipEndpoints(first: 30) { nodes { type } } }", {}],
    ["a variable", 217, `query ($first: Int!) { ${rest} }`, { first: 30 }],
    ["a variable's default", 217, `query ($first: Int! = 30) { ${rest} }`, {}],
    ["an argument's default", 72, "{ sipEndpoints { nodes { type } } }", {}],
    ["more rows than allowed", 707, `query ($first: Int!) { ${rest} }`, { first: 2_000_000_000 }],
    [
      "many references",
      181,
      entities,
      { of: Array(30).fill({ __typename: "SipEndpoint", username: "alice" }) },
    ],
    [
      "fragments that expand to a billion fields",
      2 ** 30,
      `{ ...F0 } ${doubling} fragment F30 on Query { __typename }`,
      {},
    ],
  ])("%s cost %i units", async (_, actual, query, variables) => {
    await start({ MAX_COST: "11" });
    const { errors } = await send(`${gateway.origin}/graphql`, post({ query, variables }));
    expect(errors).toMatchObject([{ extensions: { limit: "MAX_COST", maximum: 11, actual } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("Rate limiting", () => {
  it("a client over its limit gets 429 with the time to wait", async () => {
    await start({ RATE_LIMIT_PER_MINUTE: "8" });
    const read = '{ sipEndpoint(username: "alice") { username } }';
    expect((await gateway.execute(read)).headers.get("ratelimit-remaining")).toBe("1");
    await gateway.reset();
    const { status, headers, errors } = await gateway.execute(read);
    expect(status).toBe(429);
    expect(codes(errors)).toEqual(["RATE_LIMITED"]);
    const retryAfterMs = errors?.[0]?.extensions.retryAfterMs;
    expect(headers.get("retry-after")).toBe(String(Math.ceil(Number(retryAfterMs) / 1000)));
    expect(headers.get("ratelimit-policy")).toBe('"cost";q=8;w=60');
    expect(headers.get("ratelimit")).toMatch(/^"cost";r=0;t=\d+$/);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("Server-side batching and caching", () => {
  it("a name that is 50 times in one operation causes one upstream request", async () => {
    await start();
    const { errors } = await gateway.execute(
      `{ ${times(50, (index) => `name${index}: sipEndpoint(username: "alice") { type video }`)} }`,
    );
    expect(errors).toBeUndefined();
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username: "alice" }]);
  });
});
