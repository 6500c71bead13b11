import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { readConfig } from "../../src/config.js";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { startBuiltGateway } from "../support/gateway/built-gateway.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange } from "../support/http/raw-http.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";

const app = "https://app.example.com";
const local = "http://localhost:3000";
const body = '{"query":"{ __typename }"}';

describe("An origin that CORS_ORIGINS does not contain", () => {
  let gateway: TestGateway;
  afterAll(() => gateway?.close());

  const execute = (origin: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { origin, "content-type": "application/json", ...bearer("made-up-key"), ...headers },
      body,
    });
  const preflight = (origin: string) =>
    fetch(`${gateway.origin}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  const refusals = () =>
    gateway.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg.startsWith("CORS"))
      .map(({ level, origin, msg }) => [level, origin, msg.split(": ").slice(1).join(": ")]);
  beforeEach(async () => {
    await gateway?.close();
    gateway = await startGateway({
      gateway: { ...apiKeys({ "made-up-key": "sip:read" }), CORS_ORIGINS: app },
    });
  });

  it("is logged once, with the value of CORS_ORIGINS that allows it", async () => {
    for (const origin of [local, "http://localhost:5173", local, app]) {
      await preflight(origin);
      await execute(origin);
    }
    expect(refusals()).toEqual([
      [40, local, `to allow it, set CORS_ORIGINS=${app},${local}`],
      [40, "http://localhost:5173", `to allow it, set CORS_ORIGINS=${app},http://localhost:5173`],
    ]);
  });

  it("is logged with another advice when a file has no origin", async () => {
    await execute("null");
    await execute("null");
    expect(refusals()).toEqual([
      [
        40,
        "null",
        "CORS_ORIGINS cannot allow it, because the page has no origin, like a file: serve the page over HTTP",
      ],
    ]);
  });

  it.each([
    "https://evil.example/a?token=canary",
    "canary",
    "*",
    "https://user:canary@evil.example",
    "https://a.example\tcanary",
    `https://${"a".repeat(300)}.example`,
  ])("is not logged when it is no valid origin: %s", async (origin) => {
    await execute(origin);
    expect(gateway.log.filter((line) => line.includes("canary"))).toEqual([]);
    expect(refusals()).toEqual([]);
  });

  it("is not logged for a page of the gateway itself", async () => {
    await execute(gateway.origin);
    await execute("https://proxy.example", { "sec-fetch-site": "same-origin" });
    expect(refusals()).toEqual([]);
  });

  it("is logged for a hundred origins at most", async () => {
    for (let port = 1; port <= 110; port++) await preflight(`http://a.example:${port + 1000}`);
    expect(refusals()).toHaveLength(100);
  });
});

describe("A gateway on the embedded emulator", () => {
  const emulated = { AUTH: "none", PIOPIY_URL: "emulator", PORT: "0" };
  let origin: string;
  let stdout: () => string;
  beforeAll(async () => {
    const program = await startBuiltGateway(emulated);
    origin = program.origin;
    stdout = () => program.output.stdout;
  });
  afterAll(killPrograms);

  const allowedOrigin = async (from: string) => {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { origin: from, "content-type": "application/json" },
      body,
    });
    return response.headers.get("access-control-allow-origin");
  };

  it.each([
    "http://localhost",
    "http://localhost:5173",
    "http://127.0.0.1:3000",
    "http://[::1]:8080",
  ])("allows a page of this machine, %s", async (page) => {
    expect(await allowedOrigin(page)).toBe(page);
  });

  it.each([
    "https://localhost:3000",
    "http://localhost.evil.example",
    "http://evil.example:80",
    "http://127.0.0.1.evil.example",
    "http://evil-localhost:3000",
    "http://localhost:3000.evil.example",
    "http://192.0.2.1:3000",
    "capacitor://localhost",
    "null",
  ])("does not allow another page, %s", async (page) => {
    expect(await allowedOrigin(page)).toBeNull();
  });

  it("logs another page, and that CORS_ORIGINS replaces the pages of this machine", async () => {
    await allowedOrigin("https://localhost:3001");
    await until(() => stdout().includes("https://localhost:3001"));
    expect(stdout()).toContain(
      "to allow it, set CORS_ORIGINS=https://localhost:3001 (this replaces the default: add the pages of this machine that you use)",
    );
  });

  it.each(["/", "/graphql"])("says on the page %s which pages may send requests", async (path) => {
    const response = await fetch(`${origin}${path}`, { headers: { accept: "text/html" } });
    expect(await response.text()).toContain(
      "Pages of <code>http://localhost</code> and <code>http://127.0.0.1</code> may send requests, from any port.",
    );
  });

  it("rejects a page of this machine that uses a foreign name of the gateway", async () => {
    const head = `POST /graphql HTTP/1.1\r\nhost: evil.example\r\norigin: http://localhost:3000\r\nconnection: close`;
    const [response] = await exchange(
      origin,
      `${head}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(response?.status).toBe(403);
  });

  (hasBrowser ? it : it.skip)("sends data to a page of this machine in a browser", async () => {
    const server = createServer((_request, response) => response.end("<p>"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const browser = await startBrowser();
    const page = await openPage(browser);
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const text = await page.evaluate(
      async ([url, sent]) => {
        const headers = { "content-type": "application/json" };
        return (await fetch(url, { method: "POST", headers, body: sent })).text();
      },
      [`${origin}/graphql`, '{"query":"{ sipEndpoint(username: \\"alice\\") { sipUri } }"}'] as const,
    );
    await browser.close();
    server.close();
    expect(JSON.parse(text)).toMatchObject({
      data: { sipEndpoint: { sipUri: "sip:alice@sbc.emulator.example" } },
    });
  });

  it("prints that it does so", () => {
    expect(stdout()).toContain(
      "Pages of http://localhost and http://127.0.0.1 may send requests, from any port. To choose the origins, set CORS_ORIGINS.",
    );
  });

  it.each<[boolean, Record<string, string>]>([
    [true, {}],
    [true, { HOST: "localhost" }],
    [true, { HOST: "::1" }],
    [true, { HOST: "127.0.0.2", CORS_ORIGINS: " " }],
    [false, { HOST: "0.0.0.0" }],
    [false, { HOST: "::" }],
    [false, { HOST: "gateway" }],
    [false, { HOST: "127.0.0.1.evil.example" }],
    [false, { CORS_ORIGINS: app }],
    [false, apiKeys({ "made-up-key": "sip:read" })],
    [false, { PIOPIY_URL: "http://127.0.0.1:5080/", PIOPIY_APP_ID: "1", PIOPIY_SECRET: "made-up" }],
  ])("allows pages of this machine: %s with %j", (isAllowed, settings) => {
    const { corsOrigins } = readConfig({ ...emulated, ...settings });
    expect(corsOrigins.some((allowed) => allowed instanceof RegExp && allowed.test(local))).toBe(isAllowed);
  });
});
