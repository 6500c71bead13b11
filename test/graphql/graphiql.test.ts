import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { hasBrowser, openPage, startBrowser } from "../support/browser.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const describeWithBrowser = hasBrowser ? describe : describe.skip;
if (!hasBrowser)
  process.stderr.write("Skipped: the GraphiQL tests need Chromium (apt-get install chromium).\n");

const respondsAt = (publicUrl: string) => ({
  PUBLIC_URL: publicUrl,
  ANSWER_URL_SECRET: "made-up-secret-of-an-answer-url-that-is-long",
});

describeWithBrowser("GraphiQL in a browser", () => {
  let gateway: TestGateway;
  let browser: Browser;
  let page: Page;
  const foreign: string[] = [];
  const pageErrors: string[] = [];

  beforeAll(async () => {
    // Every document that the page sends is in the manifest of trusted documents.
    const trusted = {
      TRUSTED_DOCUMENTS: "enforce",
      TRUSTED_DOCUMENTS_FILE: "schema/persisted-documents.json",
    };
    const settings = respondsAt("https://gateway.example.com");
    gateway = await startGateway({ gateway: { GRAPHIQL: "true", ...trusted, ...settings } });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });
  beforeEach(async () => {
    page = await openPage(browser);
    page.setDefaultTimeout(120_000);
    page.on("request", (request) => {
      const url = request.url().replace(/^blob:/, "");
      if (!url.startsWith(gateway.origin) && !url.startsWith("data:")) foreign.push(url);
    });
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) pageErrors.push(message.text());
    });
    page.on("pageerror", (error) => pageErrors.push(error.message));
    await open();
  });
  afterEach(() => page.close());

  /** Opens the page and waits until it has loaded the schema. */
  async function open(): Promise<void> {
    const schema = page.waitForResponse("**/graphql");
    await page.goto(`${gateway.origin}/graphiql`);
    await schema;
  }

  /**
   * Runs a tab unchanged and waits until the result contains `text`. The page parses the name of the operation a moment after
   * it shows the text, and rejects a run before that. Such a run is repeated.
   */
  async function runTab(name: string, text: string): Promise<void> {
    await page.locator(`.graphiql-tab-button[title="${name}"]`).click();
    await shows(".graphiql-query-editor", new RegExp(`(query|mutation)\\s${name}\\b`));
    await page.locator(".graphiql-execute-button").click();
    // A narrow page breaks the lines of the message, and shows only its start.
    const isEarly = /Cannot\s+infer/;
    await shows(".result-window", new RegExp(`\\}|${isEarly.source}`));
    if (await page.locator(".result-window", { hasText: isEarly }).isVisible()) {
      await open();
      return runTab(name, text);
    }
    await shows(".result-window", text);
  }

  /** Returns whether a part of the page is within the width and height of the window, and is not a mere strip. */
  async function isInside(selector: string): Promise<boolean> {
    const box = await page.locator(selector).boundingBox();
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    if (!box) return false;
    return (
      box.x >= 0 &&
      box.y >= 0 &&
      box.x + box.width <= width &&
      box.y + box.height <= height &&
      Math.min(box.width, box.height) >= 30
    );
  }

  /** Clicks a tab with the mouse where it is, without scrolling to it. Waits until it is active. */
  async function clickTab(name: string): Promise<void> {
    const box = await page.locator(`.graphiql-tab-button[title="${name}"]`).boundingBox();
    await page.mouse.click(Number(box?.x) + Number(box?.width) / 2, Number(box?.y) + Number(box?.height) / 2);
    await shows(".graphiql-tab-active", name);
  }

  /** Waits until a part of the page shows a text. */
  async function shows(selector: string, expected: string | RegExp): Promise<void> {
    const part = page.locator(selector);
    await part
      .filter({ hasText: expected })
      .waitFor()
      .catch(async () => {
        throw new Error(`${selector} does not show ${expected}, but: ${await part.textContent()}`);
      });
  }

  it("opens with a tab for each numbered file of schema/operations, in order", async () => {
    const files = readdirSync("schema/operations").filter((file) => /^\d/.test(file));
    const tabs = await page.getByRole("tab").allInnerTexts();
    expect(tabs.map((tab) => tab.trim().toLowerCase())).toEqual(
      files.map((file) => file.replace(/^\d+-|-|\.graphql$/g, "")),
    );
    expect(tabs.at(-1)).toBe("RemoveSipEndpoint");
  });

  it("runs the first tab and shows the endpoints", async () => {
    await runTab("ListSipEndpoints", '"username": "alice"');
    await shows(".result-window", '"totalCount": 4');
  });

  it("creates an endpoint, and the list shows it", async () => {
    // The result window contains only the lines that fit.
    await page.setViewportSize({ width: 1280, height: 900 });
    await runTab("CreateSipEndpoint", '"sipUri": "sip:erin@');
    await open();
    await runTab("ListSipEndpoints", '"username": "erin"');
    await shows(".result-window", '"totalCount": 5');
    expect(await gateway.upstreamRequests()).toContainEqual(
      expect.objectContaining({ operation: "add_sip", username: "erin", code: "cmi-200" }),
    );
  });

  it.each([
    ["SipEndpoint", '"connectUrl": "sbc.emulator.example"'],
    ["MySipEndpoint", '"code": "NOT_CONFIGURED"'],
    ["UpdateSipEndpoint", '"sipUri": "sip:alice@'],
    ["RotateSipEndpointPassword", '"sipUri": "sip:alice@'],
    ["ConnectAction", '"ring_type": "group"'],
    ["ValidatePcmo", '"Plays welcome.mp3."'],
    ["RemoveSipEndpoint", '"username": "erin"'],
    ["AnswerUrl", '"answerUrl": "https://gateway.example.com/answer/'],
  ])("runs the tab %s unchanged", async (name, text) => {
    await runTab(name, text);
  });

  it("activates a tab on the first click after the window has become narrower", async () => {
    await page.setViewportSize({ width: 900, height: 700 });
    await runTab("ConnectAction", '"ring_type": "group"');
  });

  it("shows all tabs to a mouse, which cannot scroll to them", async () => {
    const names = await page.getByRole("tab").allInnerTexts();
    for (const name of names.toReversed()) await clickTab(name);
    expect(names).toContain("ValidatePcmo");
  });

  it("keeps the tabs of a person until they clear the data in the settings", async () => {
    const tabs = page.getByRole("tab");
    const count = await tabs.count();
    await page.locator(".graphiql-tab-active .graphiql-tab-close").click();
    const stored = "JSON.parse(localStorage.getItem('graphiql:tabState'))?.tabs.length";
    await until(async () => (await page.evaluate(stored)) === count - 1);
    await open();
    expect(await tabs.count()).toBe(count - 1);
    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await page.getByRole("button", { name: "Clear data" }).click();
    await until(async () => (await page.evaluate("localStorage.length")) === 0);
    await open();
    await until(async () => (await tabs.count()) === count);
  });

  it("shows the description of the schema in the documentation", async () => {
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await shows(".graphiql-plugin", "SIP endpoints and call control of TeleCMI PIOPIY");
    await shows(".graphiql-plugin", "An upstream request is an HTTP request from the gateway to PIOPIY.");
  });

  it("shows the tabs, the editor, the result and the documentation on a screen of 390 pixels", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await runTab("AnswerUrl", '"answerUrl"');
    const parts = [
      ".graphiql-tab-active",
      ".graphiql-query-editor",
      ".graphiql-execute-button",
      ".result-window",
    ];
    for (const part of parts) expect([part, await isInside(part)]).toEqual([part, true]);
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await shows(".graphiql-plugin", "SIP endpoints and call control of TeleCMI PIOPIY");
    expect(await isInside(".graphiql-plugin")).toBe(true);
    // If the page could scroll, the editor would be below the sidebar.
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBe(844);
    await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
    await runTab("ListSipEndpoints", '"username": "alice"');
  });

  it("has a scroll bar for the tabs on a screen of 390 pixels", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const {
      x = 0,
      y = 0,
      width = 0,
      height = 0,
    } = (await page.locator(".graphiql-tabs").boundingBox()) ?? {};
    await page.mouse.move(x + 30, y + height - 4);
    await page.mouse.down();
    await page.mouse.move(x + width, y + height - 4);
    await page.mouse.up();
    await clickTab("RemoveSipEndpoint");
  });

  it("shows the whole dialog of the settings on a screen of 390 pixels", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await shows(".graphiql-dialog", "Clear storage");
    const dialog = page.locator(".graphiql-dialog");
    for (const button of await dialog.getByRole("button").all()) {
      const [inner, outer] = await Promise.all([button.boundingBox(), dialog.boundingBox()]);
      const right = ({ x, width } = { x: 0, width: 0 }) => x + width;
      expect(right(inner ?? undefined)).toBeLessThanOrEqual(right(outer ?? undefined));
    }
  });

  it("sends no request to another host, and has no errors and no violations of its content security policy", () => {
    expect(foreign).toEqual([]);
    expect(pageErrors).toEqual([]);
  });
});

describeWithBrowser("GraphiQL behind a path", () => {
  it("sends its operations to the same path", async () => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}/sip`;
    const gateway = await startGateway({ gateway: { GRAPHIQL: "true" } });
    const proxy = createServer((incoming, outgoing) => {
      const { method, headers, url = "" } = incoming;
      if (!url.startsWith("/sip/")) return outgoing.writeHead(404).end();
      const forwarded = request(`${gateway.origin}${url.slice(4)}`, { method, headers }, (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(outgoing);
      });
      return incoming.pipe(forwarded);
    });
    await once(proxy.listen(port, "127.0.0.1"), "listening");
    const browser = await startBrowser();
    try {
      const page = await openPage(browser);
      const schema = page.waitForResponse((response) => response.request().method() === "POST");
      await page.goto(`${publicUrl}/graphiql`);
      const response = await schema;
      expect([response.url(), response.status()]).toEqual([`${publicUrl}/graphql`, 200]);
    } finally {
      await browser.close();
      proxy.close();
      proxy.closeAllConnections();
      await gateway.close();
    }
  });
});

describe("GraphiQL's page", () => {
  it("exists only with GRAPHIQL=true", async () => {
    const gateway = await startGateway();
    const response = await fetch(`${gateway.origin}/graphiql`);
    expect(response.status).toBe(404);
    await gateway.close();
  });

  it.each([
    ["gzip, deflate, br", "gzip"],
    ["br, GZIP;q=0.5", "gzip"],
    ["*", "gzip"],
    ["identity", null],
    ["gzip;q=0", null],
    ["*;q=0.0", null],
  ])("is the same for Accept-Encoding: %s, in the encoding %s", async (accepted, encoding) => {
    const gateway = await startGateway({
      gateway: { GRAPHIQL: "true", CORS_ORIGINS: "https://a.example,https://b.example" },
    });
    const response = await fetch(`${gateway.origin}/graphiql`, { headers: { "accept-encoding": accepted } });
    const page = await response.text();
    await gateway.close();
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")?.toLowerCase()).toBe("origin, accept-encoding");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = ""]) => script);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) {
      const digest = createHash("sha256").update(script).digest("base64");
      expect(response.headers.get("content-security-policy")).toContain(`'sha256-${digest}'`);
    }
  });

  it("is sent again to a browser only if it has another page, or none in the encoding", async () => {
    const gateway = await startGateway({ gateway: { GRAPHIQL: "true" } });
    const get = (encoding: string, tag = "", method = "GET") =>
      fetch(`${gateway.origin}/graphiql`, {
        method,
        headers: { "accept-encoding": encoding, ...(tag && { "if-none-match": tag }) },
      });
    const [plain, gzip] = await Promise.all(
      ["identity", "gzip"].map((encoding) => get(encoding, "", "HEAD")),
    );
    const [plainTag, gzipTag] = [plain, gzip].map((response) => response?.headers.get("etag") ?? "");
    const length = Number(gzip?.headers.get("content-length"));
    const requests = [
      ["gzip", gzipTag, 304],
      ["gzip", `"other", W/${gzipTag}`, 304],
      ["gzip", "*", 304],
      ["identity", plainTag, 304],
      ["gzip", plainTag, 200],
      ["identity", gzipTag, 200],
      ["gzip", '"other"', 200],
    ] as const;
    const found = [];
    for (const [encoding, tag] of requests) {
      const response = await get(encoding, tag);
      const { byteLength } = await response.arrayBuffer();
      expect(byteLength > 0).toBe(response.status === 200);
      expect(response.headers.get("etag")).toBe(encoding === "gzip" ? gzipTag : plainTag);
      expect(response.headers.get("vary")).toBe("accept-encoding");
      found.push([encoding, tag, response.status]);
    }
    await gateway.close();
    expect(found).toEqual(requests);
    expect(gzipTag).toMatch(/^"[\w-]{43}-gzip"$/);
    expect(length).toBeGreaterThan(1_000_000);
    expect(Number(plain?.headers.get("content-length"))).toBeGreaterThan(2 * length);
  });
});
