import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { apiKeys } from "../support/auth/api-keys.js";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange } from "../support/http/raw-http.js";

const ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const ANSWER_URL_SECRET = "made-up-secret-of-an-answer-url-that-is-long";
const keyed: Record<string, string> = {
  ...apiKeys({ "made-up-key": "sip:read" }),
  PUBLIC_URL: "https://gateway.example.com/sip",
  ANSWER_URL_SECRET,
  TRUSTED_PROXIES: "127.0.0.1",
};

let open: TestGateway;
let closed: TestGateway;
beforeAll(async () => {
  open = await startGateway({ gateway: { GRAPHIQL: "true" } });
  closed = await startGateway({ gateway: keyed });
});
afterAll(async () => {
  await open?.close();
  await closed?.close();
});

function visit(path: string, from = open, init: RequestInit = {}): Promise<Response> {
  return fetch(`${from.origin}${path}`, { ...init, headers: { accept: ACCEPT, ...init.headers } });
}

function typeOf({ headers }: Response): string | undefined {
  return headers.get("content-type")?.split(";")[0];
}

/** Returns the text of HTML as a browser shows it. */
function textOf(html: string): string {
  return html
    .replace(/<style>.*?<\/style>|<[^>]*>/gs, "")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));
}

/** Returns the first request that a page shows. */
function commandIn(html: string): string | undefined {
  return /^curl .*?\}'$/ms.exec(textOf(html))?.[0];
}

async function run(command: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)("bash", ["-c", `${command} --silent --show-error`]);
  return JSON.parse(stdout);
}

describe("The first page", () => {
  it.each([
    ["text/html", "text/html"],
    [ACCEPT, "text/html"],
    ["text/*", "text/html"],
    ["*/*", "application/json"],
    ["", "application/json"],
    ["application/json", "application/json"],
    ["application/json, text/html;q=0.9", "application/json"],
    ["text/html;q=0.1, */*;q=0.5", "application/json"],
    ["text/html;q=0", "application/json"],
  ])("has for Accept: %s the type %s", async (accept, type) => {
    for (const method of ["GET", "HEAD"]) {
      const response = await visit("/", open, { method, headers: { accept } });
      expect([response.status, typeOf(response), response.headers.get("cache-control")]).toEqual([
        200,
        type,
        "no-store",
      ]);
      expect((await response.text()).length > 0).toBe(method === "GET");
    }
  });

  it("shows a first request that succeeds when it is pasted into a shell", async () => {
    const command = commandIn(await (await visit("/")).text()) ?? "";
    expect(command).toContain(`'${open.origin}/graphql'`);
    expect(await run(command)).toMatchObject({
      data: { sipEndpoints: { nodes: [{ username: "alice" }, { username: "bob" }, { username: "carol" }] } },
    });
  });

  it("shows where the first request needs an API key", async () => {
    const html = await (await visit("/", closed)).text();
    expect(textOf(html)).toContain("Replace API_KEY by your own.");
    const command = (commandIn(html) ?? "").replace("API_KEY", "made-up-key");
    expect(command).toContain("-H 'authorization: Bearer made-up-key'");
    expect(await run(command)).toMatchObject({ data: { sipEndpoints: { nodes: { length: 3 } } } });
  });

  it.each<[string, Record<string, string>]>([
    ["http://localhost:1", { host: "localhost:1" }],
    ["http://[::1]:4000", { host: "[::1]:4000" }],
    ["https://gateway.example.com/sip", { host: "gateway.example.com" }],
    ["https://a.example.com", { host: "a.example.com", "x-forwarded-proto": "https" }],
    [
      "https://b.example.com",
      { host: "c", "x-forwarded-proto": "https", "x-forwarded-host": "b.example.com" },
    ],
  ])("shows the address that the browser uses: %s", async (address, headers) => {
    expect(await commandFor(headers)).toContain(`curl '${address}/graphql' `);
  });

  it.each([
    "a';id;'",
    "a$(id)",
    "a`id`",
    '"><script>alert(1)</script>',
    "a&b",
    "a b",
  ])("shows no host that has a meaning in a shell or in HTML: %s", async (host) => {
    const html = await pageFor({ host: "a", "x-forwarded-host": host });
    expect(html).not.toContain("<script");
    expect(html).not.toContain(host);
    const command = commandIn(html);
    if (command) expect(command).toContain(`curl '${closed.origin}/graphql' `);
  });

  /** Returns the page that a browser gets with these headers. */
  async function pageFor(headers: Record<string, string>): Promise<string> {
    const lines = Object.entries({ accept: ACCEPT, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const request = `GET / HTTP/1.1\r\nconnection: close\r\n${lines.join("")}\r\n`;
    const [response] = await exchange(closed.origin, request);
    return response?.body ?? "";
  }

  async function commandFor(headers: Record<string, string>): Promise<string | undefined> {
    return commandIn(await pageFor(headers));
  }

  it("contains no setting except the kind of the credential", async () => {
    const html = await (await visit("/", closed)).text();
    const { API_KEYS = "", PUBLIC_URL = "" } = keyed;
    const settings = [
      API_KEYS,
      PUBLIC_URL,
      ANSWER_URL_SECRET,
      closed.piopiyUrl,
      "made-up-key",
      "emulator-secret",
    ];
    for (const setting of settings) expect(html).not.toContain(setting);
  });

  it("shows no request that trusted documents would reject", async () => {
    const gateway = await startGateway({
      gateway: { TRUSTED_DOCUMENTS: "enforce", TRUSTED_DOCUMENTS_FILE: "schema/persisted-documents.json" },
    });
    const html = await (await visit("/", gateway)).text();
    await gateway.close();
    expect(html).toContain("<h1>First steps</h1>");
    expect(html).not.toContain("curl");
  });

  it("names CORS_ORIGINS, and pages of the documentation that exist", async () => {
    const text = textOf(await (await visit("/")).text());
    expect(text).toContain("CORS_ORIGINS=https://app.example.com");
    const documents = text.match(/docs\/\S+/g) ?? [];
    expect(documents.length).toBeGreaterThan(3);
    expect(documents.filter((path) => !existsSync(path))).toEqual([]);
  });

  it("is for other clients a list of addresses, with GraphiQL only if it is on", async () => {
    const health = { live: "/health/live", ready: "/health/ready" };
    expect(await (await fetch(open.origin)).json()).toEqual({
      graphql: "/graphql",
      graphiql: "/graphiql",
      health,
    });
    expect(await (await fetch(closed.origin)).json()).toEqual({ graphql: "/graphql", health });
    expect(await (await visit("/", closed)).text()).not.toMatch(/graphiql/i);
  });
});

describe("A browser that opens the address of the GraphQL API", () => {
  it("gets a page that says what it is for, without a credential", async () => {
    await closed.reset();
    const response = await visit("/graphql", closed);
    expect([response.status, typeOf(response)]).toEqual([200, "text/html"]);
    const html = await response.text();
    expect(textOf(html)).toContain(
      "This is the address of a GraphQL API, to which clients send POST requests",
    );
    expect(commandIn(html)).toContain("/graphql'");
    expect(await closed.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["GET", "/graphql?query={__typename}", 400],
    ["GET", "/graphql?documentId=ab", 400],
    ["GET", "/graphql?a=1&extensions={}", 422],
    ["POST", "/graphql", 415],
  ])("gets JSON for an operation: %s %s", async (method, path, status) => {
    const response = await visit(path, open, { method });
    expect([response.status, typeOf(response)]).toEqual([status, "application/json"]);
  });

  it("gets JSON from scripts of a page, which accept any type", async () => {
    const response = await fetch(`${open.origin}/graphql`);
    expect([response.status, typeOf(response)]).toEqual([422, "application/json"]);
  });
});

describe("A browser that opens an answer URL", () => {
  it("gets a page that says what it is for, whether or not the answer URL is valid", async () => {
    const { data } = await closed.execute<{ connectAction: { answerUrl: string } }>(
      '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl } }',
      {},
      { authorization: "Bearer made-up-key" },
    );
    const token = data.connectAction.answerUrl.split("/").at(-1) ?? "";
    const pages = [];
    for (const path of [`/answer/${token}`, "/answer/made-up"]) {
      const response = await visit(path, closed);
      expect([response.status, typeOf(response), response.headers.get("allow")]).toEqual([
        405,
        "text/html",
        "POST",
      ]);
      pages.push(await response.text());
    }
    expect(pages[0]).toBe(pages[1]);
    expect(pages[0]).not.toContain(token);
    expect(textOf(pages[0] ?? "")).toContain(
      "This is an answer URL: when a call arrives, PIOPIY sends a POST request to it and gets a PCMO document.",
    );
  });

  it.each(["GET", "PUT", "DELETE", "HEAD"])("gets JSON when it accepts any type: %s", async (method) => {
    const response = await fetch(`${closed.origin}/answer/made-up`, { method });
    expect([response.status, typeOf(response), response.headers.get("allow")]).toEqual([
      405,
      "application/json",
      "POST",
    ]);
  });

  it("gets 404 from a gateway without answer URLs", async () => {
    expect((await visit("/answer/made-up", open)).status).toBe(404);
  });
});

describe("A browser at an address that does not exist", () => {
  it.each([
    "/nothing",
    "/a/b/c?d=/e",
    "/graphql/",
    "//evil.example/a",
    "/%E0%A4%A",
    "/graphiql/a",
  ])("gets a page with a link to the first page: %s", async (path) => {
    const response = await visit(path);
    expect([response.status, typeOf(response)]).toEqual([404, "text/html"]);
    const [, href = ""] = /<header><a href="([^"]*)">/.exec(await response.text()) ?? [];
    const link = new URL(href, `${open.origin}${path}`);
    expect(link.href).toBe(`${open.origin}/`);
  });

  it("gets a page for each error of a visit, with its status and headers", async () => {
    const denied = await visit("/graphql?query={__typename}", closed);
    expect([denied.status, typeOf(denied), denied.headers.get("www-authenticate")]).toEqual([
      401,
      "text/html",
      "Bearer",
    ]);
    const [foreign] = await exchange(
      open.origin,
      `GET / HTTP/1.1\r\nhost: evil.example\r\naccept: ${ACCEPT}\r\nconnection: close\r\n\r\n`,
    );
    expect(foreign).toMatchObject({ status: 403, body: expect.stringContaining("<h1>Forbidden</h1>") });
    expect(foreign?.body).not.toContain("curl");
  });

  it("sees a foreign host as a text, not as HTML", async () => {
    const [foreign] = await exchange(
      open.origin,
      `GET / HTTP/1.1\r\nhost: a&lt;b'c.example\r\naccept: ${ACCEPT}\r\nconnection: close\r\n\r\n`,
    );
    expect(foreign?.body).toContain("&#34;a&#38;lt;b&#39;c.example&#34; is not allowed");
  });

  it.each(["GET", "POST", "PUT", "DELETE"])("does not learn of POST /graphql: %s", async (method) => {
    for (const init of [{ method }, { method, headers: { accept: "*/*" } }]) {
      expect(await (await visit("/nothing", open, init)).text()).not.toContain("POST /graphql");
    }
  });
});

describe("The security headers of a page", () => {
  it.each(["/", "/graphql", "/nothing"])("allow its style, and nothing else: %s", async (path) => {
    const response = await visit(path);
    const html = await response.text();
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(response.headers.get("content-security-policy")).toBe(
      `default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none';style-src 'sha256-${hash}'`,
    );
    expect(html).not.toMatch(/<script|style=| on\w+=/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});

const describeWithBrowser = hasBrowser ? describe : describe.skip;
if (!hasBrowser)
  process.stderr.write("Skipped: the tests of pages need Chromium (apt-get install chromium).\n");

describeWithBrowser("A person with a browser", () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  beforeAll(async () => {
    browser = await startBrowser();
    page = await openPage(browser);
    page.on("console", (message) => {
      if (!message.text().startsWith("Failed to load resource")) problems.push(message.text());
    });
  });
  afterAll(() => browser?.close());

  it("finds the first page and GraphiQL from a wrong address", async () => {
    await page.goto(`${open.origin}/a/wrong/address`);
    await page.getByRole("link", { name: "PIOPIY GraphQL Gateway" }).click();
    await page.getByRole("heading", { name: "First steps" }).waitFor();
    expect(page.url()).toBe(`${open.origin}/`);
    await page.getByRole("link", { name: "Open GraphiQL" }).click();
    await page.waitForURL(`${open.origin}/graphiql`);
  });

  it.each([
    "/",
    "/graphql",
    "/nothing",
  ])("reads a page on a screen of 390 pixels without scrolling sideways: %s", async (path) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${open.origin}${path}`);
    // A vertical scroll bar has a part of the width.
    const { scrollWidth, clientWidth } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      clientWidth: document.documentElement.clientWidth,
    }));
    expect(clientWidth).toBeGreaterThan(360);
    expect(scrollWidth).toBe(clientWidth);
    // The style is applied.
    expect(await page.evaluate(() => getComputedStyle(document.body).maxWidth)).toBe("704px");
    expect(await page.title()).toMatch(/ - PIOPIY GraphQL Gateway$/);
  });

  it("sees no violation of the content security policy", () => {
    expect(problems).toEqual([]);
  });
});
