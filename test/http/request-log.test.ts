import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

const KEY = "made-up-key-of-the-log-test";
const SHA256 = "0f2a0d6c1b25a4e1d6b21a6b9b0b5a2cf4f0e5d1a8d7f1d0c0b0a09080706050";
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: { CACHE_TTL_MS: "60000", RATE_LIMIT_PER_MINUTE: "2000", MAX_BODY_BYTES: "5000" },
  });
});
afterAll(() => gateway.close());

type Line = Readonly<Record<string, unknown>>;

/** Returns the entries about requests that are logged while a function runs. */
async function linesOf(act: () => Promise<unknown>): Promise<Line[]> {
  const before = gateway.log.length;
  await act();
  return gateway.log
    .slice(before)
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => String(msg).startsWith("request "));
}

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
const run = (query: string, headers?: Record<string, string>) => post(JSON.stringify({ query }), headers);

describe("The log entry of an operation", () => {
  it("has its names, its client, its cost and its upstream requests", async () => {
    const headers = {
      "x-request-id": "order-1",
      "apollographql-client-name": "desk",
      "apollographql-client-version": "1.2.3",
    };
    const [line, ...others] = await linesOf(() =>
      run('query Bob { sipEndpoint(username: "bob") { type } }', headers),
    );
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      level: 30,
      msg: "request completed",
      requestId: "order-1",
      who: "127.0.0.1",
      clientName: "desk",
      clientVersion: "1.2.3",
      operation: "query",
      operationName: "Bob",
      documentHash: expect.stringMatching(/^[\da-f]{64}$/),
      cost: 7,
      cache: "miss",
      upstreamRequests: 1,
      retries: 0,
      status: 200,
    });
    expect(line?.upstreamMs).toBeGreaterThan(0);
    expect(line?.durationMs).toBeGreaterThanOrEqual(0);
    expect(line).not.toHaveProperty("codes");
  });

  it("has the client of the headers graphql-client-name and graphql-client-version", async () => {
    const [line] = await linesOf(() =>
      run("{ __typename }", { "graphql-client-name": "x".repeat(100), "graphql-client-version": "2" }),
    );
    expect(line).toMatchObject({ clientName: `${"x".repeat(59)}…`, clientVersion: "2" });
  });

  it("has the cache result, also of a cached response", async () => {
    const carol = 'query Carol { sipEndpoint(username: "carol") { type } }';
    const both = '{ a: sipEndpoint(username: "carol") { type } b: sipEndpoint(username: "dave") { type } }';
    const password = '{ sipEndpoint(username: "carol") { password } }';
    const lines = await linesOf(async () => {
      for (const query of [carol, carol, carol, both, password, "{ __typename }"]) await run(query);
    });
    expect(
      lines.map(({ cache, upstreamRequests, cachedResponse }) => [cache, upstreamRequests, cachedResponse]),
    ).toEqual([
      ["miss", 1, undefined],
      ["hit", 0, undefined],
      ["hit", 0, true],
      ["partial", 1, undefined],
      ["bypass", 1, undefined],
      [undefined, 0, undefined],
    ]);
    expect(lines[2]).toMatchObject({ operation: "query", operationName: "Carol", cost: 7, status: 200 });
    expect(lines[2]?.documentHash).toBe(lines[0]?.documentHash);
  });

  it("counts retries, and is a warning when PIOPIY has failed", async () => {
    await gateway.addFault({ operation: "get_sip", kind: "status", status: 503, times: 1 });
    const [retried] = await linesOf(() => run('{ sipEndpoint(username: "erin") { type } }'));
    expect(retried).toMatchObject({ level: 30, status: 200, upstreamRequests: 2, retries: 1 });
    await gateway.addFault({ operation: "get_sip", kind: "status", status: 503, times: 3 });
    const [failed] = await linesOf(() => run('{ sipEndpoint(username: "frank") { type } }'));
    expect(failed).toMatchObject({
      level: 40,
      codes: ["UPSTREAM_UNAVAILABLE"],
      upstreamRequests: 3,
      retries: 2,
    });
  });

  it.each([
    ["a syntax error", "{ a", 400, ["GRAPHQL_PARSE_FAILED"]],
    ["an unknown field", "{ nothing }", 422, ["GRAPHQL_VALIDATION_FAILED"]],
    ["an invalid argument", '{ sipEndpoint(username: "") { type } }', 200, ["BAD_USER_INPUT"]],
  ])("is not a warning for an error of the client: %s", async (_, query, status, codes) => {
    expect(await linesOf(() => run(query))).toMatchObject([
      { level: 30, msg: "request completed", status, codes },
    ]);
  });

  it("names the limit that an operation exceeds", async () => {
    const lists = Array.from({ length: 5 }, (_, n) => `a${n}: sipEndpoints(first: 100) { nodes { type } }`);
    const lines = await linesOf(async () => {
      await run(`{ ${lists.slice(0, 4).join(" ")} }`);
      await run(`{ ${lists.join(" ")} ${lists.map((list) => `b${list}`).join(" ")} }`);
    });
    expect(lines).toMatchObject([
      { codes: ["RATE_LIMITED"], limit: "RATE_LIMIT_PER_MINUTE" },
      { codes: ["GRAPHQL_VALIDATION_FAILED"], limit: "MAX_COST" },
    ]);
  });

  it("reports that the client has disconnected", async () => {
    await gateway.addFault({ operation: "get_sip", kind: "latency", ms: 300, times: 1 });
    const before = gateway.log.length;
    const leaving = new AbortController();
    const body = JSON.stringify({ query: 'query Left { sipEndpoint(username: "grace") { type } }' });
    const left = fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: leaving.signal,
    });
    await until(async () => (await gateway.upstreamRequests()).some(({ username }) => username === "grace"));
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(() => gateway.log.slice(before).some((line) => line.includes('"Left"')));
    const line = gateway.log.slice(before).find((line) => line.includes('"Left"')) ?? "";
    expect(JSON.parse(line)).toMatchObject({ msg: "request completed", aborted: true });
  });
});

describe("The log entry of a rejected request", () => {
  it.each<[string, () => Promise<unknown>, Line]>([
    ["an unknown address", () => fetch(`${gateway.origin}/nothing`), { method: "GET", status: 404 }],
    [
      "a method that the address does not accept",
      () => fetch(`${gateway.origin}/graphql`, { method: "DELETE" }),
      { method: "DELETE", status: 405 },
    ],
    ["a body that is not JSON", () => post("["), { method: "POST", route: "/graphql", status: 400 }],
    [
      "a body that is too large",
      () => post(`"${"x".repeat(6000)}"`),
      { method: "POST", route: "/graphql", status: 413, limit: "MAX_BODY_BYTES" },
    ],
    ["an address that cannot be decoded", () => fetch(`${gateway.origin}/%zz`), { status: 404 }],
  ])("has the status: %s", async (_, act, fields) => {
    expect(await linesOf(act)).toEqual([
      expect.objectContaining({
        level: 30,
        msg: "request rejected",
        requestId: expect.any(String),
        codes: ["BAD_REQUEST"],
        ...fields,
      }),
    ]);
  });

  it("has the status of a request that is not valid HTTP", async () => {
    const { hostname, port } = new URL(gateway.origin);
    const lines = await linesOf(async () => {
      const socket = connect(Number(port), hostname);
      socket.end("GET / HTTP/1.1\r\nnothing\r\n\r\n");
      socket.resume();
      await once(socket, "close");
    });
    expect(lines).toMatchObject([{ msg: "request rejected", status: 400, code: "HPE_INVALID_HEADER_TOKEN" }]);
  });

  it("is absent for pages, health and preflight requests", async () => {
    const lines = await linesOf(async () => {
      for (const path of ["/", "/health/live", "/health/ready"]) await fetch(gateway.origin + path);
      await fetch(`${gateway.origin}/graphql`, { headers: { accept: "text/html" } });
    });
    expect(lines).toEqual([]);
  });

  it("is the audit entry when a login is refused", async () => {
    const secured = await startGateway({
      gateway: { AUTH: "api-key", API_KEYS: `desk:${SHA256}:sip:read` },
    });
    const response = await fetch(`${secured.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: '{"query":"{ __typename }"}',
    });
    await secured.close();
    expect(response.status).toBe(401);
    const lines = secured.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 30);
    expect(lines.filter(({ requestId }) => requestId)).toMatchObject([
      { name: "audit", what: "login", outcome: "UNAUTHENTICATED" },
    ]);
  });
});

describe("An upstream request", () => {
  it("has the request id of its operation, also in the log entry of its failure", async () => {
    await gateway.reset();
    await gateway.addFault({ operation: "get_sip", kind: "status", status: 500, times: 1 });
    const before = gateway.log.length;
    await run('{ sipEndpoint(username: "heidi") { type } }', { "x-request-id": "order-2" });
    const failures = gateway.log.slice(before).filter((line) => line.includes("an upstream request failed"));
    expect(failures.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, requestId: "order-2" }]);
    expect((await gateway.upstreamRequests()).map(({ requestId }) => requestId)).toEqual([
      "order-2",
      "order-2",
    ]);
  });
});
