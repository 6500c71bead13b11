import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { explainUnanswered } from "../../../src/emulator/phone-page/explain-end.js";
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

/** Sends 30 wrong digests to the emulator of a page. */
const failLogins = `new Promise((resolve) => {
  const socket = new WebSocket("${EMULATOR.replace("http", "ws")}", "sip");
  let responses = 0;
  socket.onmessage = () => ++responses === 30 && resolve();
  socket.onopen = () => {
    for (let index = 0; index < 30; index++) {
      socket.send([
        "REGISTER sip:x SIP/2.0",
        "Via: SIP/2.0/WS x.invalid;branch=z9hG4bK" + index,
        "From: <sip:alice@x>;tag=" + index,
        "To: <sip:alice@x>",
        "Call-ID: wrong" + index,
        "CSeq: 1 REGISTER",
        'Authorization: Digest realm="piopiy-emulator", username="alice"',
        "Content-Length: 0", "", "",
      ].join("\\r\\n"));
    }
  };
})`;

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
      const { url } = await fetch(`${emulator.origin}/phone/?user=alice`);
      expect(url).toBe(`${emulator.origin}/phone?user=alice`);
    } finally {
      await emulator.close();
    }
  });
});

describe("The reason of an unanswered call to 77", () => {
  it.each([
    [404, 'Reason: SIP;cause=404;text="no document"', "There is no endpoint and no number 77."],
    [500, 'Reason: SIP;cause=500;text="no document"', "The answer URL of 77 returned no valid document."],
    [603, 'Reason: SIP;cause=603;text="hangup"', "The document of 77 ends the call with the action hangup."],
    [480, 'Reason: SIP;cause=480;text="end of document"', "The document of 77 calls no endpoint."],
    [
      480,
      'Reason: SIP;cause=480;text="does not exist";endpoint="100%25"',
      "The endpoint 100% does not exist.",
    ],
    [
      480,
      'Reason: SIP;cause=480;text="is not registered";endpoint="dave"',
      "dave is not logged in on any phone.",
    ],
    [
      480,
      'Reason: SIP;cause=408;text="cannot be reached";endpoint="dave"',
      "The phone of dave cannot be reached.",
    ],
    [480, 'Reason: SIP;cause=408;text="stops ringing";endpoint="dave"', "dave did not answer."],
    [480, 'Reason: SIP;cause=480;text="is not available";endpoint="dave"', "dave is not available."],
    [480, 'Reason: SIP;cause=486;text="is busy";endpoint="dave"', "dave is busy."],
    [
      480,
      'Reason: SIP;cause=488;text="cannot take this call";endpoint="dave"',
      "dave cannot take this kind of call",
    ],
    [480, 'Reason: SIP;cause=603;text="declines";endpoint="dave"', "dave declined the call."],
    [480, 'Reason: SIP;cause=500;text="refuses";endpoint="dave"', "refused the call with the status 500."],
    [503, 'Reason: SIP;cause=503;text="connection lost"', "The connection to the emulator was lost."],
    [503, "Retry-After: 10", "The emulator is overloaded. Try again in 10 seconds."],
    [403, "Retry-After: 10", "Too many failed logins from this machine. Try again in 10 seconds."],
    [403, "", "The emulator no longer accepts the password"],
    [400, "", "The call to 77 failed: 400 Made-up."],
  ])("is shown in words: %s %s", (status, header, sentence) => {
    const [name, value] = header.split(": ");
    const getHeader = (asked: string) => (asked === name ? value : undefined);
    const message = { status_code: status, reason_phrase: "Made-up", getHeader };
    const event = { originator: "remote", cause: "Made-up", message };
    expect(explainUnanswered("77", event as never)).toContain(sentence);
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

  /** Lets hours pass for the timers of a page, which expire early. */
  async function openContextWithClock(): Promise<BrowserContext> {
    const context = await openContext();
    await context.clock.install();
    return context;
  }

  /** Renews the registration of a page with a clock before it expires. */
  const renew = ({ page }: PhonePage) => page.clock.fastForward(300_000);

  async function changeEndpoint(operation: string, parameters: object): Promise<void> {
    const body = { appid: 2222223, secret: "emulator-secret", ...parameters };
    await network.request(`${EMULATOR}/v1/endpoint/${operation}`, body);
  }

  const says = ({ page }: PhonePage, text: string) =>
    page.getByRole("alert").filter({ hasText: text }).waitFor();

  /** Waits until the page has received this many responses with a status. */
  async function receivesResponses({ page }: PhonePage, status: number, count: number): Promise<void> {
    const responses = page.locator("#sip-messages summary").filter({ hasText: `SIP/2.0 ${status}` });
    await until(async () => (await responses.count()) >= count);
  }

  it("rings for the control route, and declines for all phones of the endpoint", async () => {
    const [bob, other] = await Promise.all([logIn("bob"), logIn("bob")]);
    for (const empty of ["  ", "sip:", "@"]) {
      await other.dial(empty, "Call");
      await says(other, "Enter the username of an endpoint, such as bob, or a phone number.");
    }
    const answerUrl = await gateway.answerUrl({ call: [{ user: "bob" }], from: "919999900000" });
    const call = { to: NUMBER, from: 919876543210, answerUrl, real: true };
    const result = gateway.control("call", call);
    expect(await bob.rings()).toBe("919999900000");
    await other.rings();
    expect(await other.page.locator("#problem").textContent()).toBe("");
    await bob.page.getByRole("button", { name: "Decline" }).click();
    await happens(other, "Another phone declined the call from 919999900000.");
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
    await alice.page.getByLabel("Username").fill('"');
    await alice.enter("made-up-Wrong-00");
    await says(alice, "authorization_user");
    await alice.page.getByLabel("Username").fill(" alice ");
    await alice.enter("made-up-Wrong-00");
    await says(alice, "The username or the password is wrong.");
    await alice.enter(passwords.alice);
    await alice.page.getByText("Logged in as alice").waitFor();
    expect(await alice.page.getByLabel("Password").inputValue()).toBe("");

    await alice.dial("dave", "Call");
    await says(alice, "dave is not logged in on any phone.");
    await alice.dial("nobody", "Call");
    await says(alice, "There is no endpoint and no number nobody.");
    await gateway.control("numbers", { number: NUMBER, answerUrl: "http://127.0.0.1:9/" });
    await alice.dial(String(NUMBER), "Call");
    await says(alice, `The answer URL of ${NUMBER} returned no valid document.`);
    await alice.page.evaluate(`{
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => (window.opened = await open(wanted));
      window.WorkingConnection = RTCPeerConnection;
      RTCPeerConnection = class { constructor() { throw new Error("made-up problem"); } };
    }`);
    await alice.dial("dave", "Video call");
    await says(alice, "made-up problem");
    expect(await alice.page.evaluate("opened.getTracks().map(({ readyState }) => readyState)")).toEqual([
      "ended",
      "ended",
    ]);
    await alice.page.evaluate("RTCPeerConnection = WorkingConnection");
    await alice.page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("refused", "NotAllowedError"))`);
    await alice.dial("dave", "Call");
    await says(alice, "The browser does not allow the microphone.");

    await alice.page.getByText("SIP messages").click();
    const messages = alice.page.locator("#sip-messages");
    expect(await messages.textContent()).toContain('Digest algorithm=MD5, username="alice"');
    expect(await messages.textContent()).toContain('response="(hidden)"');
    expect(await messages.textContent()).not.toMatch(/response="?[\da-f]{8}/);
  });

  it("logs in and dials names with percent signs", async () => {
    await changeEndpoint("add_sip", { username: "100%", password: passwords.bob });
    const [alice, percent] = [await logIn("alice"), new PhonePage(await open("", await openContext()))];
    await percent.page.getByLabel("Username").fill("100%");
    await percent.enter(passwords.bob);
    await percent.page.getByText("Logged in as 100%").waitFor();
    await alice.dial("100%", "Video call");
    expect(await percent.rings()).toBe("alice");
    await percent.answer("Answer with video");
    await alice.page.getByText("In a call").waitFor();
    await percent.hangUp();
    await alice.isIdle();
    await percent.dial("alice", "Call");
    expect(await alice.rings()).toBe("100%");
    await percent.hangUp();
    await alice.dial("%zz", "Call");
    await says(alice, "There is no endpoint and no number %zz.");
  });

  it("turns the camera off without video, and logs out after a call in which the password was changed", async () => {
    const [alice, bob] = [await logIn("alice", await openContextWithClock()), await logIn("bob")];
    const answerUrl = await gateway.answerUrl({ call: [{ user: "bob" }], callType: "AUDIO" });
    await gateway.control("numbers", { number: NUMBER, answerUrl });
    await alice.dial(String(NUMBER), "Video call");
    await bob.rings();
    await bob.answer("Answer");
    await happens(alice, `Your camera is off: the call with ${NUMBER} has sound only.`);
    await alice.page.getByText("In a call").waitFor();
    expect(await alice.page.locator("#camera-off").isVisible()).toBe(false);
    expect(await alice.page.locator("#stage.own-picture").count()).toBe(0);

    const log = alice.page.locator("#sip-messages summary").filter({ hasText: "SIP/2.0 401" });
    const before = await log.count();
    await changeEndpoint("update_sip", { username: "alice", password: passwords.carol });
    await renew(alice);
    await receivesResponses(alice, 401, before + 2);
    await alice.receives("audioBytes");
    await bob.hangUp();
    await says(alice, "The emulator no longer accepts the password");

    await alice.enter(passwords.carol);
    await alice.isIdle();
    await changeEndpoint("update_sip", { username: "alice", password: passwords.alice });
    await alice.dial("bob", "Call");
    await says(alice, "The emulator no longer accepts the password");
    await alice.enter(passwords.alice);
    await alice.isIdle();
    await changeEndpoint("remove_sip", { username: "alice" });
    await says(alice, "The emulator no longer accepts the password");
    await changeEndpoint("add_sip", { username: "alice", password: passwords.alice });
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

  it("waits while the emulator refuses logins, and connects again after it has restarted", async () => {
    const [alice, bob] = [await logIn("alice", await openContextWithClock()), await logIn("bob")];
    await alice.dial("bob", "Call");
    await bob.rings();
    await bob.answer("Answer");
    await alice.page.getByText("In a call").waitFor();
    await bob.page.evaluate(failLogins);
    await renew(alice);
    await alice.page.getByText("Connecting… as alice").waitFor();
    await alice.receives("audioBytes");
    await alice.page.clock.fastForward(60_000);
    await receivesResponses(alice, 403, 2);
    await alice.hangUp();
    await bob.dial("alice", "Call");
    await says(bob, "Too many failed logins from this machine.");
    await bob.page.getByText("Logged in as bob").waitFor();
    await killPrograms();
    await bob.page.getByText("Connecting… as bob").waitFor();
    gateway = await startLoopbackGateway(network);
    await alice.page.getByText("Logged in as alice").waitFor();
    await happens(alice, "You are logged in again.");
    await until(async () => JSON.stringify(await gateway.control("phones")).includes('"alice"'));
  });

  it("loads nothing from other hosts, and has no errors and no violations of its policy", () => {
    expect(foreign).toEqual([]);
    expect(pageErrors).toEqual([]);
  });
});
