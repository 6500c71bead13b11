import { networkInterfaces } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { answerDocument, closeAnswerServers } from "../support/emulator/answer-server.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange, type RawResponse } from "../support/http/raw-http.js";

const settings = {
  ALLOWED_HOSTS: "gateway, my_app.example.com., fd00::1, 192.0.2.7",
  PUBLIC_URL: "https://public.example.com",
  ANSWER_URL_SECRET: "made-up-secret-of-an-answer-url-that-is-long",
  GRAPHIQL: "true",
};
const emulatorHosts = { EMULATOR_ALLOWED_HOSTS: "emulator, fd00::1" };
const routes = ["/", "/graphql", "/graphiql", "/health/live", "/health/ready", "/answer/made-up", "/nothing"];
/** An address of this machine that is not loopback, if it has one. */
const lan = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

/** The options that a page passes to `fetch`. */
interface PageRequest {
  readonly method?: string;
  readonly mode?: "no-cors";
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const foreign: [string, string, string][] = [
  ["a foreign name", "host: evil.example", "HTTP/1.1"],
  ["a foreign name with a port", "host: evil.example:4000", "HTTP/1.1"],
  ["a name below localhost", "host: evil.localhost", "HTTP/1.1"],
  ["a name that begins with localhost", "host: localhost.evil.example", "HTTP/1.1"],
  ["a name that begins with an address", "host: 127.0.0.1.evil.example", "HTTP/1.1"],
  ["a name that ends with an allowed one", "host: evil-gateway", "HTTP/1.1"],
  ["localhost with two dots", "host: localhost..", "HTTP/1.1"],
  ["a foreign address", "host: 192.0.2.1", "HTTP/1.1"],
  ["a foreign IPv6 address", "host: [2001:db8::1]:80", "HTTP/1.1"],
  ["localhost as the user of a foreign name", "host: localhost@evil.example", "HTTP/1.1"],
  ["a foreign name as the user of localhost", "host: evil.example@localhost", "HTTP/1.1"],
  ["a password before localhost", "host: a:b@localhost", "HTTP/1.1"],
  ["localhost as the path of a foreign name", "host: evil.example/localhost", "HTTP/1.1"],
  ["two names", "host: localhost,evil.example", "HTTP/1.1"],
  ["two Host headers", "host: localhost\r\nhost: evil.example", "HTTP/1.1"],
  ["two Host headers in reverse order", "host: evil.example\r\nhost: localhost", "HTTP/1.1"],
  ["no Host header", "x: y", "HTTP/1.0"],
  [
    "an X-Forwarded-Host header with an allowed name",
    "host: evil.example\r\nx-forwarded-host: localhost",
    "HTTP/1.1",
  ],
  ["a Forwarded header with an allowed name", "host: evil.example\r\nforwarded: host=localhost", "HTTP/1.1"],
];
const own = [
  "localhost",
  "LOCALHOST:1",
  "localhost.",
  "127.0.0.1:4000",
  "127.9.9.9",
  "[::1]:80",
  "[0:0:0:0:0:0:0:1]",
];

describe("A gateway without credentials", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      gateway: { ...settings, TRUSTED_PROXIES: "127.0.0.1" },
      emulator: emulatorHosts,
    });
  });
  afterAll(() => gateway.close());

  const get = async (target: string, head: string, version = "HTTP/1.1"): Promise<RawResponse> => {
    const [response] = await exchange(
      gateway.origin,
      `GET ${target} ${version}\r\n${head}\r\nconnection: close\r\n\r\n`,
    );
    return response ?? { status: 0, body: "" };
  };

  it.each(foreign)("rejects every route for %s", async (_, head, version) => {
    for (const route of routes) {
      const { status, body } = await get(route, head, version);
      expect([route, status]).toEqual([route, 403]);
      expect(JSON.parse(body)).toMatchObject({
        errors: [
          {
            message: expect.stringContaining("ALLOWED_HOSTS"),
            extensions: { code: "FORBIDDEN", retryable: false },
          },
        ],
      });
    }
  });

  it.each([
    ["http://evil.example/health/live", "localhost"],
    ["http://evil.example:80/health/live", "localhost"],
    ["HTTP://evil.example?/health/live", "localhost"],
    ["http://localhost@evil.example/health/live", "localhost"],
    ["http://localhost/health/live", "evil.example"],
  ])("rejects the absolute target %s with the Host header %s", async (target, host) => {
    expect(await get(target, `host: ${host}`)).toMatchObject({ status: 403 });
  });

  it("serves an absolute target with an allowed host", async () => {
    expect(await get("http://localhost:80/health/live", "host: localhost")).toMatchObject({ status: 200 });
  });

  it.each([
    ...own,
    "gateway:4000",
    "Gateway",
    "MY_APP.example.com",
    "[fd00:0::1]",
    "192.0.2.7",
    "public.example.com",
  ])("serves the host %s", async (host) => {
    expect(await get("/health/live", `host: ${host}`)).toMatchObject({ status: 200 });
    expect(await get("/nothing", `host: ${host}`)).toMatchObject({ status: 404 });
  });

  (lan ? it : it.skip)("serves its own network address, if the connection uses it", async () => {
    const open = await startGateway({ gateway: { HOST: "0.0.0.0" } });
    const { port } = new URL(open.origin);
    const outside = await fetch(`http://${lan}:${port}/health/live`);
    const [inside] = await exchange(
      open.origin,
      `GET / HTTP/1.1\r\nhost: ${lan}\r\nconnection: close\r\n\r\n`,
    );
    await open.close();
    expect([outside.status, inside?.status]).toEqual([200, 403]);
  });

  it("writes one audit log entry immediately, and counts the others", async () => {
    const audit = gateway.log.map((line) => JSON.parse(line)).filter(({ name }) => name === "audit");
    expect(audit[0]).toMatchObject({ what: "host", outcome: "FORBIDDEN", address: "127.0.0.1" });
    expect(audit.length).toBeLessThan(20);
  });

  it.each(
    foreign.filter(([, , version]) => version === "HTTP/1.1"),
  )("has an emulator that rejects its control routes for %s, but not PIOPIY's operations", async (_, head) => {
    const emulator = new URL(gateway.piopiyUrl).origin;
    const send = async (line: string) =>
      (await exchange(emulator, `${line} HTTP/1.1\r\n${head}\r\nconnection: close\r\n\r\n`))[0];
    const refused = await send("GET /_emulator/calls");
    expect(refused?.status).toBe(403);
    expect(JSON.parse(refused?.body ?? "")).toEqual({
      error: expect.stringContaining("EMULATOR_ALLOWED_HOSTS"),
    });
    expect((await send("GET /phone"))?.status).toBe(403);
    expect((await send("POST /v1/endpoint/list_sip"))?.status).toBe(200);
    expect(
      (await send("POST /v1/endpoint/list_sip HTTP/1.1\r\norigin: http://evil.example\r\nx:"))?.status,
    ).toBe(403);
  });

  it("rejects an unknown host on answer URLs too, with 403", async () => {
    const [response] = await exchange(
      gateway.origin,
      "POST /answer/made-up HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    );
    expect(response).toMatchObject({ status: 403, body: expect.stringContaining("ALLOWED_HOSTS") });
  });

  it.each([
    ...own.slice(0, -1),
    "emulator:5080",
    "[fd00::1]",
  ])("has an emulator that serves the host %s", async (host) => {
    const head = `GET /_emulator/calls HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    expect((await exchange(new URL(gateway.piopiyUrl).origin, head))[0]?.status).toBe(200);
  });

  it.each<[number, string, RequestInit]>([
    [403, "calls", { headers: { origin: "http://127.0.0.1" } }],
    [403, "calls", { headers: { origin: "null" } }],
    [403, "calls", { headers: { "sec-fetch-site": "cross-site" } }],
    [403, "calls", { headers: { "sec-fetch-site": "same-site" } }],
    [200, "calls", { headers: { "sec-fetch-site": "none" } }],
    [200, "calls", { headers: { "sec-fetch-site": "same-origin" } }],
    [415, "reset", { method: "POST" }],
    [415, "reset", { method: "POST", body: "{}" }],
    [
      415,
      "reset",
      { method: "POST", body: "{}", headers: { "content-type": "text/plain; application/json" } },
    ],
    [415, "faults", { method: "POST", body: "{}", headers: { "content-type": "application/jsonx" } }],
    [415, "call", { method: "POST", body: new URLSearchParams({ a: "b" }) }],
    [
      403,
      "reset",
      { method: "POST", headers: { "content-type": "application/json", origin: "http://localhost" } },
    ],
    [200, "reset", { method: "POST", headers: { "content-type": "Application/JSON; charset=utf-8" } }],
  ])("has an emulator that responds with %s to /_emulator/%s with %j", async (status, route, init) => {
    const emulator = new URL(gateway.piopiyUrl).origin;
    const response = await fetch(`${emulator}/_emulator/${route}`, init);
    expect(response.status).toBe(status);
    if (status !== 200) expect(await response.json()).toEqual({ error: expect.any(String) });
  });
});

describe("A gateway with credentials", () => {
  it("serves any host, because a foreign page has no credential", async () => {
    const gateway = await startGateway({ gateway: apiKeys({ good: "sip:read" }) });
    const request = (route: string) =>
      exchange(gateway.origin, `GET ${route} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`);
    const statuses = [await request("/health/live"), await request("/graphql")].map(
      ([response]) => response?.status,
    );
    expect(statuses).toEqual([200, 401]);
    expect((await gateway.execute("{ __typename }", {}, bearer("good"))).status).toBe(200);
    await gateway.close();
  });
});

const describeWithBrowser = hasBrowser ? describe : describe.skip;
if (!hasBrowser)
  process.stderr.write("Skipped: the tests of foreign pages need Chromium (apt-get install chromium).\n");

describeWithBrowser("A foreign page in a browser", () => {
  let gateway: TestGateway;
  let emulator: string;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    gateway = await startGateway({ gateway: { GRAPHIQL: "true" } });
    emulator = new URL(gateway.piopiyUrl).origin;
    // Not all browsers block requests of pages to local addresses, so the servers must not depend on it.
    browser = await startBrowser(
      "--host-resolver-rules=MAP evil.example 127.0.0.1",
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
    );
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
    await closeAnswerServers();
  });
  beforeEach(async () => {
    await gateway.reset();
    page = await openPage(browser);
    page.setDefaultTimeout(120_000);
  });
  afterEach(() => page.close());

  /** Opens an empty page of this origin. Its other requests are sent to the network. */
  async function open(origin: string): Promise<void> {
    await page.route(`${origin}/page`, (route) => route.fulfill({ contentType: "text/html", body: "<p>" }));
    await page.goto(`${origin}/page`);
  }

  /** Sends a request from the page, and returns the status and text of the response, or the error. */
  const send = (url: string, init: PageRequest = {}) =>
    page.evaluate(
      async ([target, options]) => {
        try {
          const response = await fetch(target, options);
          return [response.status, await response.text()] as const;
        } catch (error) {
          return [0, String(error)] as const;
        }
      },
      [url, init] as const,
    );

  const usernames = async () => {
    const { data } = await gateway.execute<{ sipEndpoints: { nodes: { username: string }[] } }>(
      "{ sipEndpoints { nodes { username } } }",
    );
    return data.sipEndpoints.nodes.map(({ username }) => username);
  };

  const read = { query: "{ sipEndpoints { nodes { username password } } }" };
  const create = { query: 'mutation { createSipEndpoint(input: { username: "evil" }) { password } }' };
  const json = (body: object): PageRequest => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

  it("can neither reset the emulator nor make it send requests to an internal service", async () => {
    const inner = await answerDocument([{ action: "hangup" }]);
    const call = JSON.stringify({ to: 1, from: 2, answerUrl: inner.url });
    await open("http://evil.example:9");
    for (const contentType of ["text/plain", "application/x-www-form-urlencoded", undefined]) {
      const init: PageRequest = {
        method: "POST",
        mode: "no-cors",
        ...(contentType && { headers: { "content-type": contentType } }),
      };
      await send(`${emulator}/_emulator/reset`, { ...init, body: '{"count":0}' });
      await send(`${emulator}/_emulator/call`, { ...init, body: call });
    }
    await send(`${emulator}/_emulator/reset`, json({ count: 0 }));
    await page.evaluate((url) => navigator.sendBeacon(url, '{"count":0}'), `${emulator}/_emulator/reset`);
    await page.evaluate((url) => {
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, { action: url, method: "POST", enctype: "text/plain" });
      const field = form.appendChild(document.createElement("input"));
      Object.assign(field, { name: '{"count":0,"a":"', value: '"}' });
      form.submit();
    }, `${emulator}/_emulator/reset`);
    await page.waitForURL(`${emulator}/**`);
    expect(await page.textContent("body")).toContain('"error"');
    expect(inner.requests).toEqual([]);
    expect(await usernames()).toContain("alice");
  });

  it("cannot use the gateway or the emulator by a name that resolves to this machine", async () => {
    const rebound = (origin: string) => origin.replace("127.0.0.1", "evil.example");
    await open(rebound(gateway.origin));
    for (const init of [json(read), json(create)]) {
      const [status, text] = await send("/graphql", init);
      expect(status).toBe(403);
      expect(text).toContain("ALLOWED_HOSTS");
    }
    expect((await send("/graphiql"))[0]).toBe(403);
    expect((await send("/health/live"))[0]).toBe(403);
    await page.close();
    page = await openPage(browser);
    await open(rebound(emulator));
    expect((await send("/_emulator/calls"))[0]).toBe(403);
    expect((await send("/_emulator/reset", json({ count: 0 })))[0]).toBe(403);
    expect(await usernames()).toEqual(["alice", "bob", "carol", "dave"]);
  });

  it("differs from a page of localhost, which gets data", async () => {
    await open(gateway.origin.replace("127.0.0.1", "localhost"));
    const [status, text] = await send("/graphql", json(read));
    expect(status).toBe(200);
    expect(text).toContain('"username":"alice"');
  });
});
