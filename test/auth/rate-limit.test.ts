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

/** What is left of the budget after an operation. */
async function left(query: string, headers: Record<string, string> = {}): Promise<number> {
  return Number((await gateway.ask(query, {}, headers)).headers.get("ratelimit-remaining"));
}

describe("The budget of a minute", () => {
  it("is each caller's own", async () => {
    await start(8, keyed);
    expect(await left(two, alpha)).toBe(1);
    expect(await left(one, alpha)).toBe(0);
    expect(await gateway.ask(one, {}, alpha)).toMatchObject({ status: 429 });
    expect(await left(two, beta)).toBe(1);
  });

  it("is touched by nobody who has not logged in", async () => {
    await start(3, keyed);
    const { status, headers } = await gateway.ask(one, {}, { authorization: "Bearer wrong" });
    expect([status, headers.get("ratelimit-remaining")]).toEqual([401, null]);
    expect(await left(one, alpha)).toBe(2);
  });

  it("is the address's own where nobody logs in", async () => {
    await start(2);
    expect(await left(one)).toBe(1);
    expect(await left(one)).toBe(0);
    expect(await gateway.ask(one)).toMatchObject({ status: 429 });
    expect(await statusFrom("127.0.0.2")).toBe(200);
    expect(await statusFrom("127.0.0.2")).toBe(200);
    expect(await statusFrom("127.0.0.2")).toBe(429);
  });

  it.each<[string, string, number]>([
    ["a name alone", one, 1],
    ["a field in a field", two, 7],
    ["two fields in a field", '{ sipEndpoint(username: "alice") { username password } }', 8],
    [
      "the same field under two names",
      "{ a: sipEndpoints { totalCount } b: sipEndpoints { totalCount } }",
      24,
    ],
    ["five rows", rows(5), 17],
    ["a hundred rows", rows(100), 182],
    ["the rows of a default", "{ sipEndpoints { nodes { username } } }", 22],
    ["a change", remove, 7],
    ["a document that cannot be read", "{ sipEndpoints(first: 100) { ", 1],
    ["a document that does not hold", "{ nothing }", 1],
    ["no document", "", 1],
  ])("pays for what is asked: %s", async (_, query, cost) => {
    await start(1000);
    expect(await left(query)).toBe(1000 - cost);
  });

  it("pays for the rows that a variable asks for", async () => {
    await start(1000);
    const query = "query ($first: Int!) { sipEndpoints(first: $first) { nodes { username } } }";
    const { headers } = await gateway.ask(query, { first: 50 });
    expect(headers.get("ratelimit-remaining")).toBe("908");
  });

  it.each([
    ["not JSON", { method: "POST", headers: { "content-type": "application/json" }, body: "{" }],
    ["of another type", { method: "POST", headers: { "content-type": "x/y" }, body: "x" }],
    ["without anything", { method: "GET" }],
  ])("pays 1 for a request that is no GraphQL request: %s", async (_, init) => {
    await start(1000);
    const { headers } = await fetch(`${gateway.origin}/graphql`, init);
    expect(headers.get("ratelimit-remaining")).toBe("999");
  });

  it("pays nothing for the health routes, which answer on", async () => {
    await start(1);
    expect(await left(one)).toBe(0);
    const { status, headers } = await fetch(`${gateway.origin}/health/ready`);
    expect([status, headers.get("ratelimit-remaining")]).toEqual([200, null]);
  });

  it("is without end, and not in the headers, where it is 0", async () => {
    await start(0);
    const { status, headers } = await gateway.ask(rows(100));
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
