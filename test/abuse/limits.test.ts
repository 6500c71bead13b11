import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { limitsOf, send, times } from "./production.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

/** Returns reads that cause upstream requests, with an alias each. */
const reads = (count: number, rest = "") =>
  times(count, (index) => `name${index}: sipEndpoint(username: "alice") ${rest} { username }`);
const read = 'sipEndpoint(username: "alice") { username }';

/** Two operations: the first one is exactly at the limit, the second one exceeds it by one. */
interface Edge {
  readonly limit: string;
  readonly maximum: number;
  readonly how: string;
  readonly allowed: string;
  readonly refused: string;
}

describe("Exactly the maximum is allowed, and one more is rejected without an upstream request:", () => {
  it.each<Edge>([
    {
      limit: "MAX_TOKENS",
      maximum: 13,
      how: "names and punctuators",
      allowed: `{ ${read} __typename __typename }`,
      refused: `{ ${read} __typename __typename __typename }`,
    },
    {
      limit: "MAX_DEPTH",
      maximum: 3,
      how: "fields in fields",
      allowed: "{ sipEndpoints { nodes { username } } }",
      refused: "{ sipEndpoints { edges { node { username } } } }",
    },
    {
      limit: "MAX_DEPTH",
      maximum: 3,
      how: "fields in fragments",
      allowed: "{ ...A } fragment A on Query { sipEndpoints { ... { nodes { username } } } }",
      refused: `{ ...A } fragment A on Query { sipEndpoints { ...B } }
        fragment B on SipEndpointConnection { edges { ... { node { username } } } }`,
    },
    {
      limit: "MAX_ALIASES",
      maximum: 3,
      how: "reads",
      allowed: `{ ${reads(3)} }`,
      refused: `{ ${reads(4)} }`,
    },
    {
      limit: "MAX_ALIASES",
      maximum: 3,
      how: "__typename",
      allowed: `{ ${read} ${times(3, (index) => `t${index}: __typename`)} }`,
      refused: `{ ${read} ${times(4, (index) => `t${index}: __typename`)} }`,
    },
    {
      limit: "MAX_ALIASES",
      maximum: 3,
      how: "repeated fields",
      allowed: `{ ${times(4, () => read)} }`,
      refused: `{ ${times(5, () => read)} }`,
    },
    {
      limit: "MAX_ALIASES",
      maximum: 3,
      how: "aliases in fragments",
      allowed: `{ ...A } fragment A on Query { ${reads(3)} }`,
      refused: `{ ...A } fragment A on Query { ${reads(4)} }`,
    },
    {
      limit: "MAX_ROOT_FIELDS",
      maximum: 3,
      how: "reads",
      allowed: `{ ${reads(3)} }`,
      refused: `{ ${reads(4)} }`,
    },
    {
      limit: "MAX_ROOT_FIELDS",
      maximum: 3,
      how: "fields in fragments",
      allowed: `{ __typename ...A } fragment A on Query { ${reads(1)} ... { ${read} } }`,
      refused: `{ __typename ...A } fragment A on Query { ${reads(2)} ... { ${read} } }`,
    },
    {
      limit: "MAX_DIRECTIVES",
      maximum: 3,
      how: "on fields",
      allowed: `{ ${reads(3, "@skip(if: false)")} }`,
      refused: `{ ${reads(4, "@skip(if: false)")} }`,
    },
    {
      limit: "MAX_DIRECTIVES",
      maximum: 0,
      how: "on fragments",
      allowed: `{ ... { ${read} } }`,
      refused: `{ ... @include(if: true) { ${read} } }`,
    },
    {
      limit: "MAX_COST",
      maximum: 22,
      how: "rows",
      allowed: "{ sipEndpoints(first: 10) { nodes { username } } }",
      refused: "{ sipEndpoints(first: 11) { nodes { username } } }",
    },
  ])("$limit=$maximum, $how", async ({ limit, maximum, allowed, refused }) => {
    gateway = await startGateway({ gateway: { [limit]: String(maximum) } });
    expect((await gateway.execute(allowed)).errors).toBeUndefined();
    expect((await gateway.upstreamRequests()).length).toBeGreaterThan(0);

    await gateway.reset();
    const { data, errors } = await gateway.execute(refused);
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toEqual([limit]);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(`(${limit})`),
        extensions: { code: expect.stringContaining("GRAPHQL_"), maximum, retryable: false },
      },
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("MAX_BODY_BYTES=200, bytes", async () => {
    gateway = await startGateway({ gateway: { MAX_BODY_BYTES: "200" } });
    const bytes = (count: number) => JSON.stringify({ query: `{ ${read} }` }).padEnd(count, " ");
    expect((await sendText(bytes(200))).errors).toBeUndefined();
    expect(await gateway.upstreamRequests()).toHaveLength(1);

    await gateway.reset();
    const { status, errors } = await sendText(bytes(201));
    expect(status).toBe(413);
    expect(errors?.[0]?.message).toContain("(MAX_BODY_BYTES)");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

function sendText(body: string) {
  const headers = { "content-type": "application/json" };
  return send(`${gateway.origin}/graphql`, { method: "POST", headers, body });
}
