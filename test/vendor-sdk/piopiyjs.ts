import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { killPrograms } from "../support/program.js";
import { openMediaContext, receivedMedia, startLoopbackBrowser } from "../support/sip/loopback-browser.js";
import { EMULATOR, type LoopbackGateway, startLoopbackGateway } from "../support/sip/loopback-gateway.js";
import { createLoopbackNetwork, type LoopbackNetwork } from "../support/sip/loopback-network.js";
import { until } from "../support/until.js";

const VERSION = "0.15.0";
const NUMBER = "914471000000";

/** The SDK connects with TLS only, which the emulator does not have. */
const WITHOUT_TLS = `
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(String(url).replace(/^wss:/, "ws:"), protocols);
    }
  };
`;

/** Keeps the events of the SDK. */
const START_SDK = `
  window.sdk = new PIOPIY({ name: "Made-up name" });
  window.events = [];
  const emit = window.sdk.emit;
  window.sdk.emit = function (name, data) {
    window.events.push({ name, code: data?.code, from: data?.from });
    return emit.apply(this, arguments);
  };
`;

let network: LoopbackNetwork;
let gateway: LoopbackGateway;
let browser: Browser;
const directory = mkdtempSync(join(tmpdir(), "vendor-sdk-"));
beforeAll(async () => {
  const install = [
    "install",
    "--prefix",
    directory,
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    `piopiyjs@${VERSION}`,
  ];
  await promisify(execFile)("npm", install);
  network = await createLoopbackNetwork();
  gateway = await startLoopbackGateway(network);
  browser = await startLoopbackBrowser(network);
});
afterAll(async () => {
  await browser?.close();
  await killPrograms();
  await network?.close();
  rmSync(directory, { recursive: true });
});

/** Opens a page with the SDK. Requests to hosts of PIOPIY get the response of a login. */
async function openSdk(): Promise<Page> {
  const context = await openMediaContext(browser);
  await context.addInitScript({ content: WITHOUT_TLS });
  await context.route(/^https:\/\/[^/]*telecmi\.com\//, (route) =>
    route.fulfill({
      json: { code: 200, token: "made-up" },
      headers: { "access-control-allow-origin": "*", "access-control-allow-headers": "*" },
    }),
  );
  const page = await context.newPage();
  // A page of the emulator without a content security policy and without scripts.
  await page.goto(`${EMULATOR}/_emulator/phones`);
  await page.addScriptTag({ path: join(directory, "node_modules/piopiyjs/dist/piopiy.min.js") });
  await page.evaluate(START_SDK);
  return page;
}

/** Waits for an event of the SDK, and returns it. */
async function event(page: Page, name: string): Promise<{ code?: number; from?: string }> {
  const find = () => page.evaluate(`window.events.find(({ name }) => name === ${JSON.stringify(name)})`);
  await until(async () => (await find()) !== undefined);
  return (await find()) as { code?: number; from?: string };
}

const call = (page: Page, method: string, ...args: string[]) =>
  page.evaluate(`window.sdk.${method}(...${JSON.stringify(args)})`);

/** Opens a page with the SDK, and logs in. */
async function logIn(username: string, password: string): Promise<Page> {
  const page = await openSdk();
  await call(page, "login", username, password, new URL(EMULATOR).host);
  return page;
}

it("PIOPIY's browser SDK reports a wrong password", async () => {
  const page = await logIn("alice", "made-up-Compass-31");
  expect(await event(page, "loginFailed")).toMatchObject({ code: 401 });
});

it("PIOPIY's browser SDK logs in, calls a number and is called, and both pages hear each other", async () => {
  const alice = await logIn("alice", "made-up-Lantern-27");
  const bob = await logIn("bob", "made-up-Harbor-58");
  for (const page of [alice, bob]) expect(await event(page, "login")).toMatchObject({ code: 200 });

  const answerUrl = await gateway.answerUrl({ call: [{ user: "bob" }], from: "919999900000" });
  await gateway.control("numbers", { number: Number(NUMBER), answerUrl });
  await call(alice, "call", NUMBER);
  expect(await event(bob, "inComingCall")).toMatchObject({ from: "919999900000" });
  await call(bob, "answer");
  await event(alice, "answered");
  await until(async () => {
    const received = await Promise.all([alice, bob].map(receivedMedia));
    return received.every(({ audioBytes }) => audioBytes > 3000);
  });
  await call(alice, "terminate");
  await event(bob, "ended");
  expect((await gateway.control("live-calls"))[0].timeline).toMatchObject([
    { event: "rings", endpoint: "bob" },
    { event: "answers", endpoint: "bob" },
    { event: "ends", reason: "caller hung up" },
  ]);
});
