import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { ConfigError, readConfig } from "../../src/config.js";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const KEY = "made-up-key";
const keyed = {
  AUTH: "api-key",
  API_KEYS: `alpha:${createHash("sha256").update(KEY).digest("hex")}:sip:read`,
};
const app = "https://app.example.com";
const local = "http://localhost:3000";
/** Origins of browser extensions and app shells. */
const shells = [
  "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
  "moz-extension://0b6c0f5e-7b1f-4b0c-9c7e-2f7a3f1f0d4e",
  "capacitor://localhost",
  "ionic://localhost",
  "tauri://localhost",
  "app://obsidian.md",
  "app://localhost:8080",
];

/** Headers that GraphQL clients, Apollo's tools and OpenTelemetry send. */
const sentHeaders = [
  "apollo-require-preflight",
  "apollographql-client-name",
  "apollographql-client-version",
  "graphql-client-name",
  "graphql-client-version",
  "authorization",
  "content-type",
  "graphql-require-preflight",
  "traceparent",
  "tracestate",
  "x-apollo-operation-name",
  "x-request-id",
];

let gateway: TestGateway;
afterAll(() => gateway.close());

function execute(origin: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { origin, "content-type": "application/json", authorization: `Bearer ${KEY}`, ...headers },
    body: '{"query":"{ __typename }"}',
  });
}

/** Sends the preflight request of a browser, which has no credential. */
function preflight(origin: string, path = "/graphql"): Promise<Response> {
  return fetch(`${gateway.origin}${path}`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": sentHeaders.join(),
    },
  });
}

const permissions = ({ headers }: Response) =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));
const words = (text: string | null) => (text ?? "").toLowerCase().split(/ *, */);

describe("A page of another origin", () => {
  beforeAll(async () => {
    gateway = await startGateway({ gateway: keyed });
  });
  afterEach(async () => expect(await gateway.upstreamRequests()).toEqual([]));

  it.each([
    app,
    local,
    "null",
    "*",
  ])("gets no CORS headers unless CORS_ORIGINS names the origin: %s", async (origin) => {
    const response = await execute(origin);
    expect([response.status, permissions(response)]).toEqual([200, []]);
    const requested = await preflight(origin);
    expect([requested.status, permissions(requested)]).toEqual([405, []]);
  });
});

describe("A page of an origin in CORS_ORIGINS", () => {
  beforeAll(async () => {
    await gateway.close();
    gateway = await startGateway({
      gateway: { ...keyed, RATE_LIMIT_PER_MINUTE: "1000", CORS_ORIGINS: [app, local, ...shells].join() },
    });
  });

  it.each([
    app,
    local,
    ...shells,
  ])("gets its preflight request accepted without a credential: %s", async (origin) => {
    const { status, headers } = await preflight(origin);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(words(headers.get("vary"))).toContain("origin");
    expect(words(headers.get("access-control-allow-methods"))).toEqual(["get", "post"]);
    expect(words(headers.get("access-control-allow-headers"))).toEqual(expect.arrayContaining(sentHeaders));
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    expect(headers.get("ratelimit-remaining")).toBeNull();
  });

  it.each<[string, number, Record<string, string>]>([
    ["a success", 200, {}],
    ["an invalid credential", 401, { authorization: "Bearer wrong" }],
    ["an unsupported content type", 415, { "content-type": "x/y" }],
  ])("may read the response to %s, and the headers that a client needs", async (_, expected, sent) => {
    const { status, headers } = await execute(local, sent);
    expect(status).toBe(expected);
    expect(headers.get("access-control-allow-origin")).toBe(local);
    expect(words(headers.get("vary"))).toContain("origin");
    expect(words(headers.get("access-control-expose-headers"))).toEqual(
      expect.arrayContaining(["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"]),
    );
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each([
    "https://other.example.com",
    "null",
    "*",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://app.example.co",
    "https://evil-app.example.com",
    "https://evil.example/https://app.example.com",
    "https://sub.app.example.com",
    "https://appXexample.com",
    "HTTPS://APP.EXAMPLE.COM",
    `${app},${local}`,
    `${app}/`,
  ])("is allowed for the exact origin only, not for %s", async (origin) => {
    for (const response of [await preflight(origin), await execute(origin)]) {
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });
});

const describeWithBrowser = hasBrowser ? describe : describe.skip;
if (!hasBrowser) {
  process.stderr.write("Skipped: a test of CORS needs Chromium (apt-get install chromium).\n");
}

describeWithBrowser("A page in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    );
  });
  afterAll(() => browser?.close());

  it("sends the headers of GraphQL clients, and reads a partial response and its headers", async () => {
    const page = await openPage(browser);
    await page.route(`${local}/page`, (route) => route.fulfill({ contentType: "text/html", body: "<p>" }));
    await page.goto(`${local}/page`);
    const headers = {
      ...Object.fromEntries(sentHeaders.map((name) => [name, "1"])),
      accept: "application/graphql-response+json",
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
      "x-request-id": "order-66",
    };
    const body = JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username password } }' });
    const read = await page.evaluate(
      async ([url, init]) => {
        const response = await fetch(url, init);
        return [response.status, response.headers.get("x-request-id"), (await response.json()).data] as const;
      },
      [`${gateway.origin}/graphql`, { method: "POST", headers, body }] as const,
    );
    expect(read).toEqual([294, "order-66", { sipEndpoint: { username: "alice", password: null } }]);
  });
});

describe("CORS_ORIGINS", () => {
  const read = (origins: string) =>
    readConfig({ AUTH: "none", HOST: "0.0.0.0", PIOPIY_URL: "emulator", CORS_ORIGINS: origins });

  it.each([
    `${app}/`,
    `${app}/page`,
    `${app}?a=1`,
    "*",
    "app.example.com",
    "null",
    "file:///page.html",
    "file://localhost",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop/",
    "tauri://localhost/index.html",
    "app://*",
    "app://user@obsidian.md",
    "capacitor://",
    "capacitor:localhost",
    "app://localhost:99999",
    "APP://localhost",
    "HTTPS://app.example.com",
    "https://app.example.com:443",
    "https://user@app.example.com",
    "/example/",
  ])("rejects %s, which is not an origin", (origin) => {
    const problem = `CORS_ORIGINS must contain origins such as https://app.example.com or capacitor://localhost, comma separated, without a path (got ${JSON.stringify(origin)}).`;
    expect(() => read(`${app},${origin}`)).toThrow(new ConfigError([problem]));
  });

  it("rejects an origin with a wildcard", () => {
    expect(() => read("https://*.example.com")).toThrow(ConfigError);
  });

  it("accepts several origins, and none", () => {
    expect(read(` ${app} ,${local}, http://[::1]:8080`).corsOrigins).toEqual([
      app,
      local,
      "http://[::1]:8080",
    ]);
    expect(read("").corsOrigins).toEqual([]);
  });
});
