import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { killPrograms } from "../../support/program.js";
import { type LoopbackGateway, SIP_PORT, startLoopbackGateway } from "../../support/sip/loopback-gateway.js";
import {
  createLoopbackNetwork,
  hasLoopbackNetwork,
  type LoopbackNetwork,
} from "../../support/sip/loopback-network.js";
import { hasSipp, runSipp, type SippRun } from "../../support/sip/sipp.js";
import { scenarios } from "../../support/sip/sipp-scenarios.js";

const canRun = hasSipp && hasLoopbackNetwork;
const describeWithSipp = canRun ? describe : describe.skip;
if (!canRun)
  process.stderr.write(
    "Skipped: the tests with SIPp need SIPp and network namespaces (apt-get install sip-tester iproute2 curl).\n",
  );

const NUMBER = 914471000000;
const carol = { username: "carol", password: "made-up-Lantern-27", port: 6100 };
const dave = { username: "dave", password: "made-up-Harbor-58", port: 6200 };

describeWithSipp("A phone of SIPp", () => {
  let network: LoopbackNetwork;
  let gateway: LoopbackGateway;
  beforeAll(async () => {
    network = await createLoopbackNetwork();
    gateway = await startLoopbackGateway(network);
    const endpoints = [carol, dave].map(({ username, password }) => ({ username, password }));
    await gateway.control("reset", { endpoints });
    await run({ ...dave, scenario: scenarios.register(200) });
    const answerUrl = await gateway.answerUrl({ call: [{ user: "dave" }], timeout: 60, duration: 1 });
    await gateway.control("numbers", { number: NUMBER, answerUrl });
  });
  afterAll(async () => {
    await killPrograms();
    await network?.close();
  });

  const run = (options: SippRun) => runSipp(network, SIP_PORT, options);

  /** Runs the scenario of a caller, and that of dave, whom the number rings over UDP. */
  async function call(caller: Partial<SippRun> & Pick<SippRun, "scenario">, scenario: string, more = {}) {
    await Promise.all([
      run({ ...carol, called: String(NUMBER), ...caller, ...more }),
      run({ ...dave, scenario, ...more }),
    ]);
  }

  /** Returns the events of the last calls, and how they ended. */
  async function events(count = 1): Promise<string[][]> {
    const calls = (await gateway.control("live-calls")) as {
      timeline: { event: string; reason?: string }[];
    }[];
    return calls
      .slice(0, count)
      .map(({ timeline }) => timeline.map(({ event, reason }) => (reason ? `${event}: ${reason}` : event)));
  }

  it.each([
    "udp",
    "tcp",
  ] as const)("registers over %s with its password, and with no other", async (transport) => {
    await run({ ...carol, transport, scenario: scenarios.register(200) });
    await run({ ...carol, transport, password: "made-up-Compass-31", scenario: scenarios.register(401) });
  });

  it.each(["udp", "tcp"] as const)("calls a number over %s until `duration` is over", async (transport) => {
    await call({ transport, scenario: scenarios.callUntilBye() }, scenarios.answerUntilBye());
    expect(await events()).toEqual([["rings", "answers", "ends: duration"]]);
  });

  it.each(["udp", "tcp"] as const)("over %s calls a busy phone", async (transport) => {
    await call({ transport, scenario: scenarios.callRefused(480) }, scenarios.busy());
    expect(await events()).toEqual([["is busy", "nobody answers", "ends: end of document"]]);
  });

  it.each([
    "udp",
    "tcp",
  ] as const)("over %s cancels a call, and the called phone stops ringing", async (transport) => {
    await call({ transport, scenario: scenarios.callThenCancel() }, scenarios.ringUntilCancel());
    expect(await events()).toEqual([["rings", "stops ringing", "ends: caller hung up"]]);
  });

  it("makes 20 calls at the same time over UDP, although both phones lose 10 % of the messages", async () => {
    await call({ scenario: scenarios.callUntilBye() }, scenarios.answerUntilBye(), { times: 20, lost: 10 });
    // A lost 180 is not repeated.
    const withoutRinging = (await events(20)).map((call) => call.filter((event) => event !== "rings"));
    expect(withoutRinging).toEqual(Array(20).fill(["answers", "ends: duration"]));
  });
});
