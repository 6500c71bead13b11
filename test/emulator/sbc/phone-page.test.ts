import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../../src/emulator/settings.js";
import { hasBrowser } from "../../support/browser.js";
import { killPrograms } from "../../support/program.js";
import { openMediaContext, startLoopbackBrowser } from "../../support/sip/loopback-browser.js";
import { EMULATOR, type LoopbackGateway, startLoopbackGateway } from "../../support/sip/loopback-gateway.js";
import { createLoopbackNetwork, type LoopbackNetwork } from "../../support/sip/loopback-network.js";
import { PhonePage } from "../../support/sip/phone-page.js";
import { until } from "../../support/until.js";

const describeWithBrowser = hasBrowser ? describe : describe.skip;
if (!hasBrowser)
  process.stderr.write("Skipped: the tests of the phone page need Chromium (apt-get install chromium).\n");

/** Passwords of endpoints that exist from the start. */
const passwords = {
  alice: "made-up-Lantern-27",
  bob: "made-up-Harbor-58",
  carol: "made-up-Meadow-91",
};
const NUMBER = 914471000000;

describe("The files of the phone page", () => {
  it("have a policy that allows scripts, styles and connections of their own host only", async () => {
    const emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
    try {
      const { host } = new URL(emulator.origin);
      const types: Record<string, string> = {
        "/phone": "text/html; charset=utf-8",
        "/phone/page.js": "text/javascript; charset=utf-8",
        "/phone/page.css": "text/css; charset=utf-8",
        "/phone/icon.svg": "image/svg+xml",
      };
      for (const [path, type] of Object.entries(types)) {
        const response = await fetch(emulator.origin + path);
        expect(response.status).toBe(200);
        expect(await response.text()).not.toBe("");
        expect(Object.fromEntries(response.headers)).toMatchObject({
          "content-type": type,
          "content-security-policy":
            `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://${host} wss://${host}; ` +
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
          "permissions-policy": "camera=(self), microphone=(self)",
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
          "cache-control": "no-cache",
        });
      }
    } finally {
      await emulator.close();
    }
  });
});

describeWithBrowser("The phone page", () => {
  let network: LoopbackNetwork;
  let gateway: LoopbackGateway;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const foreign: string[] = [];
  const pageErrors: string[] = [];

  beforeAll(async () => {
    network = await createLoopbackNetwork();
    [gateway, browser] = await Promise.all([startLoopbackGateway(network), startLoopbackBrowser(network)]);
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await killPrograms();
    await network?.close();
  });

  async function openContext(): Promise<BrowserContext> {
    const context = await openMediaContext(browser);
    contexts.push(context);
    context.on("request", (request) => {
      if (!request.url().startsWith(`${EMULATOR}/phone`)) foreign.push(request.url());
    });
    context.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) pageErrors.push(message.text());
    });
    context.on("weberror", (error) => pageErrors.push(String(error.error())));
    return context;
  }

  async function open(username: string, context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await openContext())).newPage();
    await page.goto(`${EMULATOR}/phone?user=${username}`);
    return page;
  }

  async function logIn(username: keyof typeof passwords, context?: BrowserContext): Promise<PhonePage> {
    const address = `${EMULATOR}/phone?user=${username}`;
    return PhonePage.logIn(context ?? (await openContext()), address, passwords[username]);
  }

  /** Waits until the log of events has this text. */
  async function happens({ page }: { readonly page: Page }, text: string): Promise<void> {
    await page.locator("#events li").filter({ hasText: text }).first().waitFor();
  }

  it("rings the phones of a group, and the one that answers hears and sees the caller while the other stops", async () => {
    const [alice, bob, carol] = await Promise.all([logIn("alice"), logIn("bob"), logIn("carol")]);
    const call = [{ user: "bob" }, { user: "carol" }];
    const answerUrl = await gateway.answerUrl({ call, callType: "VIDEO", ringType: "GROUP", timeout: 60 });
    await gateway.control("numbers", { number: NUMBER, answerUrl });

    await alice.dial(`+${NUMBER}`, "Video call");
    await Promise.all([bob.rings(), carol.rings()]);
    await carol.answer("Answer with video");
    await Promise.all([bob.isIdle(), happens(bob, "Another phone answered the call from")]);
    await Promise.all([alice, carol].map((phone) => phone.receives("audioBytes", "framesDecoded")));
    await alice.page.locator("#stage.picture.own-picture").waitFor();
    await alice.page.getByRole("timer").filter({ hasText: "0:0" }).waitFor();

    const sends = (kind: string) =>
      alice.page.evaluate(
        `keptConnections[0].getSenders().find(({ track }) => track.kind === "${kind}").track.enabled`,
      );
    for (const [name, kind] of [
      ["Mute", "audio"],
      ["Camera off", "video"],
    ] as const) {
      const button = alice.page.getByRole("button", { name });
      await button.click();
      expect([await sends(kind), await button.getAttribute("aria-pressed")]).toEqual([false, "true"]);
      await button.click();
      expect([await sends(kind), await button.getAttribute("aria-pressed")]).toEqual([true, "false"]);
    }
    await carol.hangUp();
    await Promise.all([alice.isIdle(), carol.isIdle()]);
    await happens(alice, "The call has ended.");
    expect(await alice.page.evaluate("document.getElementById('own-video').srcObject === null")).toBe(true);
  });

  it("rings for the control route, and declines", async () => {
    const bob = await logIn("bob");
    const answerUrl = await gateway.answerUrl({ call: [{ user: "bob" }], from: "919999900000" });
    const call = { to: NUMBER, from: 919876543210, answerUrl, real: true };
    const result = gateway.control("call", call);
    expect(await bob.rings()).toBe("919999900000");
    await bob.page.getByRole("button", { name: "Decline" }).click();
    expect(JSON.stringify((await result).timeline)).toContain('"declines"');
    await happens(bob, "You declined the call from 919999900000.");
  });

  it("is used by keyboard alone, by two tabs of one browser, and by a phone without a camera", async () => {
    const context = await openContext();
    await context.addInitScript({
      content: `{
        // The first page of a tab has none.
        const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
        if (open) navigator.mediaDevices.getUserMedia = (wanted) =>
          wanted.video ? Promise.reject(new DOMException("none", "NotFoundError")) : open(wanted);
      }`,
    });
    const [alice, bob] = [await open("alice", context), await open("bob", context)];
    for (const [page, name] of [
      [alice, "alice"],
      [bob, "bob"],
    ] as const) {
      await page.keyboard.type(passwords[name]);
      await page.keyboard.press("Enter");
      await page.getByText(`Logged in as ${name}`).waitFor();
    }
    const call = async () => {
      await alice.locator("#target:focus").fill("");
      await alice.keyboard.type("bob");
      for (const key of ["Tab", "Tab", "Enter"]) await alice.keyboard.press(key);
      await bob.locator("#incoming").waitFor();
    };
    await call();
    await happens({ page: alice }, "The camera cannot be used (NotFoundError). The call has sound only.");
    await bob.keyboard.press("Escape");
    await alice.getByRole("alert").filter({ hasText: "bob declined the call." }).waitFor();

    await call();
    expect(await bob.locator("#answer-video").isVisible()).toBe(false);
    await bob.keyboard.press("Tab");
    await bob.keyboard.press("Enter");
    await alice.getByText("In a call").waitFor();
    expect(await alice.locator("#camera-off").isVisible()).toBe(false);
    for (const key of ["Tab", "Tab", "Enter"]) await alice.keyboard.press(key);
    await alice.locator("#target:focus").waitFor();
    await bob.locator("#target:focus").waitFor();
  });

  it("says why a login or a call fails", async () => {
    const context = await openContext();
    const alice = new PhonePage(await open("alice", context));
    const says = (text: string) => alice.page.getByRole("alert").filter({ hasText: text }).waitFor();
    await alice.enter("made-up-Wrong-00");
    await says("The username or the password is wrong.");
    await alice.enter(passwords.alice);
    await alice.page.getByText("Logged in as alice").waitFor();
    expect(await alice.page.getByLabel("Password").inputValue()).toBe("");

    await alice.dial("dave", "Call");
    await says("dave is not logged in on any phone.");
    await alice.dial("nobody", "Call");
    await says("There is no endpoint and no number nobody.");
    await alice.page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("refused", "NotAllowedError"))`);
    await alice.dial("dave", "Call");
    await says("The browser does not allow the microphone.");

    await alice.page.getByText("SIP messages").click();
    const messages = alice.page.locator("#sip-messages");
    expect(await messages.textContent()).toContain('Digest algorithm=MD5, username="alice"');
    expect(await messages.textContent()).toContain('response="(hidden)"');
    expect(await messages.textContent()).not.toMatch(/response="?[\da-f]{8}/);
  });

  it("fits on a screen of 390 pixels", async () => {
    const context = await openContext();
    const bob = await logIn("bob");
    const page = await open("alice", context);
    await page.setViewportSize({ width: 390, height: 844 });
    const fits = async () =>
      expect(
        await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      ).toBe(0);
    await fits();
    const alice = new PhonePage(page);
    await alice.enter(passwords.alice);
    await alice.isIdle();
    await fits();
    await bob.dial("alice", "Video call");
    await alice.rings();
    await fits();
    for (const name of ["Answer with video", "Answer without camera", "Decline"]) {
      const box = await page.getByRole("button", { name }).boundingBox();
      expect(Number(box?.y) + Number(box?.height)).toBeLessThanOrEqual(844);
    }
    await alice.answer("Answer with video");
    await page.locator("#stage.picture").waitFor();
    await page.getByText("SIP messages").click();
    await page.locator("#sip-messages summary").first().click();
    await fits();
  });

  it("connects again after the emulator has restarted", async () => {
    const alice = await logIn("alice");
    await killPrograms();
    await alice.page.getByText("Connecting… as alice").waitFor();
    gateway = await startLoopbackGateway(network);
    await alice.page.getByText("Logged in as alice").waitFor();
    await until(async () => JSON.stringify(await gateway.control("phones")).includes('"alice"'));
  });

  it("loads nothing from other hosts, and has no errors and no violations of its policy", () => {
    expect(foreign).toEqual([]);
    expect(pageErrors).toEqual([]);
  });
});
