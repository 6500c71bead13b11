import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const entry = (key: string) => `${key}:${createHash("sha256").update(`made-up-${key}`).digest("hex")}`;
const keyed = {
  AUTH: "api-key",
  API_KEYS: `alpha:sip:read,beta:sip:read+sip:write`.replace(/\w+(?=:sip:read)/g, entry),
};
const alpha = { authorization: "Bearer made-up-alpha" };
const beta = { authorization: "Bearer made-up-beta" };

const one = "{ __typename }";
const two = '{ sipEndpoint(username: "alice") { username } }';
const rows = (count: number) => `{ sipEndpoints(first: ${count}) { nodes { username } } }`;
const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(perMinute: number, settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: String(perMinute), ...settings } });
}

/** Returns the units that are left after an operation. */
async function left(query: string, headers: Record<string, string> = {}): Promise<number> {
  return Number((await gateway.execute(query, {}, headers)).headers.get("ratelimit-remaining"));
}

describe("The rate limit", () => {
  it("is separate for each client", async () => {
    await start(8, keyed);
    expect(await left(two, alpha)).toBe(1);
    expect(await left(one, alpha)).toBe(0);
    expect(await gateway.execute(one, {}, alpha)).toMatchObject({ status: 429 });
    expect(await left(two, beta)).toBe(1);
  });

  it("is not charged for an invalid credential", async () => {
    await start(3, keyed);
    const { status, headers } = await gateway.execute(one, {}, { authorization: "Bearer wrong" });
    expect([status, headers.get("ratelimit-remaining")]).toEqual([401, null]);
    expect(await left(one, alpha)).toBe(2);
  });

  it("is separate for each address with AUTH=none", async () => {
    await start(2);
    expect(await left(one)).toBe(1);
    expect(await left(one)).toBe(0);
    expect(await gateway.execute(one)).toMatchObject({ status: 429 });
    expect(await statusFrom("127.0.0.2")).toBe(200);
    expect(await statusFrom("127.0.0.2")).toBe(200);
    expect(await statusFrom("127.0.0.2")).toBe(429);
  });

  it.each<[string, string, number]>([
    ["one field", one, 1],
    ["a field in a field", two, 7],
    ["two fields in a field", '{ sipEndpoint(username: "alice") { username password } }', 8],
    [
      "the same field with two aliases",
      "{ a: sipEndpoints { totalCount } b: sipEndpoints { totalCount } }",
      24,
    ],
    ["five rows", rows(5), 17],
    ["a hundred rows", rows(100), 182],
    ["the rows of a default", "{ sipEndpoints { nodes { username } } }", 22],
    ["a mutation", remove, 7],
    ["a document with a syntax error", "{ sipEndpoints(first: 100) { ", 1],
    ["an invalid document", "{ nothing }", 1],
    ["no document", "", 1],
  ])("is charged for the selected fields: %s", async (_, query, cost) => {
    await start(1000);
    expect(await left(query)).toBe(1000 - cost);
  });

  it("is charged for the number of rows in a variable", async () => {
    await start(1000);
    const query = "query ($first: Int!) { sipEndpoints(first: $first) { nodes { username } } }";
    const { headers } = await gateway.execute(query, { first: 50 });
    expect(headers.get("ratelimit-remaining")).toBe("908");
  });

  it.each([
    ["invalid JSON", { method: "POST", headers: { "content-type": "application/json" }, body: "{" }],
    ["another content type", { method: "POST", headers: { "content-type": "x/y" }, body: "x" }],
    ["an empty GET", { method: "GET" }],
  ])("is charged 1 for a request that is not a GraphQL request: %s", async (_, init) => {
    await start(1000);
    const { headers } = await fetch(`${gateway.origin}/graphql`, init);
    expect(headers.get("ratelimit-remaining")).toBe("999");
  });

  it("does not apply to the health routes", async () => {
    await start(1);
    expect(await left(one)).toBe(0);
    const { status, headers } = await fetch(`${gateway.origin}/health/ready`);
    expect([status, headers.get("ratelimit-remaining")]).toEqual([200, null]);
  });

  it("is turned off by 0, and then not in the headers", async () => {
    await start(0);
    const { status, headers } = await gateway.execute(rows(100));
    expect(status).toBe(200);
    expect([...headers.keys()].filter((name) => name.startsWith("ratelimit"))).toEqual([]);
  });
});

async function statusFrom(localAddress: string): Promise<number | undefined> {
  const headers = { "apollo-require-preflight": "1" };
  const url = `${gateway.origin}/graphql?query=${encodeURIComponent(one)}`;
  const [response] = (await once(request(url, { localAddress, headers }).end(), "response")) as [
    IncomingMessage,
  ];
  response.resume();
  return response.statusCode;
}
