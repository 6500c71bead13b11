import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { hasBrowser } from "../../support/browser.js";
import { killPrograms } from "../../support/program.js";
import { openMediaContext, startLoopbackBrowser } from "../../support/sip/loopback-browser.js";
import { EMULATOR, type LoopbackGateway, startLoopbackGateway } from "../../support/sip/loopback-gateway.js";
import {
  createLoopbackNetwork,
  hasLoopbackNetwork,
  type LoopbackNetwork,
} from "../../support/sip/loopback-network.js";
import { PhonePage } from "../../support/sip/phone-page.js";

const canRun = hasBrowser && hasLoopbackNetwork;
const describeWithBrowser = canRun ? describe : describe.skip;
if (!canRun)
  process.stderr.write(
    "Skipped: the test of ringing phones needs Chromium and network namespaces (apt-get install chromium iproute2 curl).\n",
  );

const [, section = ""] =
  /^## Ring two browsers$(.*?)^## /ms.exec(readFileSync("docs/telephony.md", "utf8")) ?? [];
/** The code blocks of the section in a language, in order. */
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\``, "gms"))].map(
    ([, , text = ""]) => text,
  );
const addressOf = (username: string) => `${EMULATOR}/phone?user=${username}`;

describeWithBrowser("The steps of “Ring two browsers”", () => {
  let network: LoopbackNetwork;
  let gateway: LoopbackGateway;
  let browser: Browser;
  beforeAll(async () => {
    network = await createLoopbackNetwork();
    gateway = await startLoopbackGateway(network);
    browser = await startLoopbackBrowser(network);
  });
  afterAll(async () => {
    await browser?.close();
    await killPrograms();
    await network?.close();
  });

  it("lead from two mutations to two ringing phones and a picture, and a new password locks out the old one", async () => {
    const [start, addNumber = "", silentCall = ""] = blocks("sh");
    const [create = "", connect = ""] = blocks("graphql");
    expect(start?.trim()).toBe("EMULATOR_PORT=5080 npm start");

    const created = await gateway.execute(create);
    const { answerUrl } = (await gateway.execute(connect)).connectAction;
    await network.sh(addNumber.replace("ANSWER_URL", answerUrl));

    const context = await openMediaContext(browser);
    const logIn = (username: string, password: string) => {
      expect(section).toContain(`](${addressOf(username)})`);
      return PhonePage.logIn(context, addressOf(username), password);
    };
    const desk = await logIn("desk", created.desk.password);
    const mobile = await logIn("mobile", created.mobile.password);
    const [, password = ""] = /with the password `(.+?)`/.exec(section.replaceAll(/\s+/g, " ")) ?? [];
    const alice = await logIn("alice", password);
    const [, number = ""] = /dial `(\d+)`/.exec(section) ?? [];
    await alice.dial(number, "Video call");
    await Promise.all([desk, mobile].map((phone) => phone.rings()));
    await desk.answer("Answer with video");
    await mobile.isIdle();
    await Promise.all([alice, desk].map((phone) => phone.receives("audioBytes", "framesDecoded")));
    await desk.hangUp();
    await alice.isIdle();

    const call = network.sh(silentCall.replace("ANSWER_URL", answerUrl));
    await Promise.all([desk, mobile].map((phone) => phone.rings()));
    await mobile.answer("Answer");
    await desk.isIdle();
    await mobile.hangUp();
    expect(JSON.parse(await call)).toMatchObject({
      timeline: [
        { event: "rings" },
        { event: "rings" },
        { event: "answers", endpoint: "mobile" },
        { event: "stops ringing", endpoint: "desk" },
        { event: "hangs up", endpoint: "mobile" },
        { event: "ends" },
      ],
    });

    await gateway.execute(
      'mutation { updateSipEndpoint(input: { username: "desk", password: "made-up-Compass-31" }) { userErrors { message } } }',
    );
    await desk.page.goto(addressOf("desk"));
    await desk.enter(created.desk.password);
    await desk.page.getByText("The username or the password is wrong.").first().waitFor();
    await desk.enter("made-up-Compass-31");
    await desk.page.getByText("Logged in as desk").waitFor();
    for (const secret of ["made-up-", created.desk.password]) expect(gateway.log()).not.toContain(secret);
  });
});
