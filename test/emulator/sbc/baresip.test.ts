import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { hasBrowser } from "../../support/browser.js";
import { killPrograms } from "../../support/program.js";
import { Baresip, hasBaresip } from "../../support/sip/baresip.js";
import { openMediaContext, startLoopbackBrowser } from "../../support/sip/loopback-browser.js";
import { EMULATOR, type LoopbackGateway, startLoopbackGateway } from "../../support/sip/loopback-gateway.js";
import {
  createLoopbackNetwork,
  hasLoopbackNetwork,
  type LoopbackNetwork,
} from "../../support/sip/loopback-network.js";
import { PhonePage } from "../../support/sip/phone-page.js";

const canRun = hasBaresip && hasBrowser && hasLoopbackNetwork;
const describeWithBaresip = canRun ? describe : describe.skip;
if (!canRun)
  process.stderr.write(
    "Skipped: the tests with baresip need baresip, Chromium and network namespaces (apt-get install baresip-core chromium iproute2 curl).\n",
  );

/** The clock of a call after two seconds. */
const afterTwoSeconds = /\[0:00:02\]/;

describeWithBaresip("baresip as a phone", () => {
  let network: LoopbackNetwork;
  let gateway: LoopbackGateway;
  let browser: Browser;
  let alice: PhonePage;
  let bob: Baresip;
  beforeAll(async () => {
    network = await createLoopbackNetwork();
    gateway = await startLoopbackGateway(network);
    browser = await startLoopbackBrowser(network);
    const { password } = await account("alice");
    alice = await PhonePage.logIn(await openMediaContext(browser), `${EMULATOR}/phone?user=alice`, password);
    const { sipUri, password: secret } = await account("bob");
    bob = new Baresip(network, sipUri, secret, 6100, true);
    await bob.sees(/registered successfully/);
  });
  afterAll(async () => {
    await browser?.close();
    await killPrograms();
    await network?.close();
  });

  async function account(username: string): Promise<{ sipUri: string; password: string }> {
    const query = "query ($username: ID!) { sipEndpoint(username: $username) { sipUri password } }";
    return (await gateway.execute(query, { username })).sipEndpoint;
  }

  /** Expects that at least two packets of each kind went each way in the call that ends. */
  async function expectMedia(phone: Baresip, ...kinds: ("audio" | "video")[]): Promise<void> {
    for (const kind of kinds) {
      const { sent, received } = await phone.packets(kind);
      expect(Math.min(sent, received)).toBeGreaterThan(1);
    }
  }

  it("is called by a browser with video, and both see and hear each other", async () => {
    await alice.dial("bob", "Video call");
    await bob.sees(/Incoming call from/);
    bob.command("/accept");
    await bob.sees(/receiving with resolution 640 x 480/);
    await alice.receives("audioBytes", "framesDecoded");
    await alice.hangUp();
    await expectMedia(bob, "audio", "video");
  });

  it("calls a number, and a browser that its document rings answers", async () => {
    const answerUrl = await gateway.answerUrl({ call: [{ user: "alice" }], from: "919999900000" });
    await gateway.control("numbers", { number: 914471000000, answerUrl });
    bob.command("/dial 914471000000");
    expect(await alice.rings()).toBe("919999900000");
    await alice.answer("Answer");
    await alice.receives("audioBytes");
    await bob.sees(afterTwoSeconds);
    bob.command("/hangup");
    await expectMedia(bob, "audio");
    await alice.isIdle();
  });

  it("over UDP calls baresip over TCP, and both hear each other", async () => {
    const { sipUri, password } = await account("carol");
    const carol = new Baresip(network, sipUri.replace("transport=udp", "transport=tcp"), password, 6200);
    await carol.sees(/registered successfully/);
    bob.command("/dial carol");
    await carol.sees(/Incoming call from/);
    carol.command("/accept");
    await Promise.all([bob, carol].map((phone) => phone.sees(afterTwoSeconds)));
    bob.command("/hangup");
    for (const phone of [bob, carol]) await expectMedia(phone, "audio");
    expect(await gateway.control("phones")).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ username: "bob", transport: "udp" }),
        expect.objectContaining({ username: "carol", transport: "tcp" }),
      ]),
    );
  });
});
