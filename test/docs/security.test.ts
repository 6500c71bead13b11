import { createHash } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { canaries } from "../support/upstream/canaries.js";

/** The routes on which the promises of SECURITY.md are tested with every method. */
const paths = [
  "/",
  "/graphql",
  "/graphql/",
  "/graphiql",
  "/health/live",
  "/health/ready",
  "/answer/made-up-token",
  "/metrics",
  "/_emulator/calls",
  "/_emulator/reset",
  "/v1/endpoint/get_sip",
  "/.well-known/apollo/server-health",
  "/%2e%2e/package.json",
  "/nothing",
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"];
const tries = paths.flatMap((path) => methods.map((method) => [method, path] as const));
const body = JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username } }', username: "alice" });
const KEY = "made-up-key";
const FOREIGN = "https://foreign.example.com";

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: {
      AUTH: "api-key",
      API_KEYS: `app:${createHash("sha256").update(KEY).digest("hex")}:sip:read`,
      GRAPHIQL: "true",
      PUBLIC_URL: "https://gateway.example.com",
      ANSWER_URL_SECRET: `${canaries.secret}-which-is-long-enough-to-sign`,
    },
  });
});
afterAll(() => gateway.close());

/** Sends a request with any method and path, both unchanged. */
function send(method: string, path: string, headers: Record<string, string>): Promise<Response> {
  const { hostname, port } = new URL(gateway.origin);
  return new Promise((resolve, reject) => {
    const sends = !["GET", "HEAD", "TRACE"].includes(method);
    // Node.js sends no content-length for methods that usually have no body.
    const length = sends ? { "content-length": String(body.length) } : {};
    const sent = request(
      { hostname, port, method, path, headers: { ...length, ...headers } },
      async (response) => {
        const chunks: Buffer[] = await response.toArray();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        });
      },
    );
    sent.on("error", reject).end(sends ? body : undefined);
  });
}

const json = { "content-type": "application/json" };

describe("A client without a credential", () => {
  it.each(tries)("gets no data by %s %s, and nothing is sent upstream", async (method, path) => {
    await gateway.reset();
    const { status, text } = await send(method, path, json);
    // GraphiQL's page names alice in its examples.
    if (path !== "/graphiql") expect(text).not.toContain("alice");
    expect([200, 400, 401, 403, 404, 405, 415]).toContain(status);
    if (status === 200) expect(path).toMatch(/^\/(health\/(live|ready)|graphiql)?$/);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("An invalid credential", () => {
  it.each(["GET", "POST"])("gets the same response as a missing one by %s /graphql", async (method) => {
    const without = await send(method, "/graphql", json);
    const wrong = await send(method, "/graphql", { ...json, authorization: "Bearer made-up-wrong" });
    const plain = ({ text }: Response) => text.replace(/"requestId":"[^"]+"/, "");
    expect([wrong.status, plain(wrong)]).toEqual([without.status, plain(without)]);
    expect(wrong.headers["www-authenticate"]).toBe("Bearer");
  });
});

describe("Every response", () => {
  it.each(tries)("of %s %s forbids browsers to run, frame or share anything", async (method, path) => {
    const { headers } = await send(method, path, {
      ...json,
      origin: FOREIGN,
      authorization: `Bearer ${KEY}`,
    });
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "x-request-id": expect.any(String),
    });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(headers).not.toHaveProperty("set-cookie");
    expect(headers).not.toHaveProperty("x-powered-by");
    if (path === "/graphql" && ["GET", "POST"].includes(method)) {
      expect(headers["cache-control"]).toBe("no-store");
    }
  });
});

describe("Mutations", () => {
  it.each(methods.filter((method) => method !== "POST"))("are not executed by %s", async (method) => {
    await gateway.reset();
    const query = encodeURIComponent(
      'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }',
    );
    await send(method, `/graphql?query=${query}`, {
      ...json,
      authorization: `Bearer ${KEY}`,
      "apollo-require-preflight": "1",
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("A web page", () => {
  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
  ])("cannot send an operation with the content type %s, which needs no preflight", async (type) => {
    await gateway.reset();
    const { status } = await send("POST", "/graphql", {
      "content-type": type,
      origin: FOREIGN,
      authorization: `Bearer ${KEY}`,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("gets no permission by a preflight", async () => {
    const { headers } = await send("OPTIONS", "/graphql", {
      origin: FOREIGN,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type",
    });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});
