import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { answerDocument, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, type EmulatorClient, startClient } from "../../support/emulator/emulator-client.js";
import { JsSipPhone, stopPhones } from "../../support/sip/js-sip-phone.js";
import { until } from "../../support/until.js";

const NUMBER = 914471000000;
const CALLER = 919999900000;

let client: EmulatorClient;
beforeAll(async () => {
  client = await startClient();
});
beforeEach(() => client.reset({}));
afterEach(stopPhones);
afterAll(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

const passwords = {
  alice: "made-up-Lantern-27",
  bob: "made-up-Harbor-58",
  carol: "made-up-Meadow-91",
  dave: "made-up-Pebble-34",
};
const start = (username: keyof typeof passwords) =>
  JsSipPhone.start(client.emulator.origin, username, passwords[username]);
/** Starts a phone of the telephone network. */
const startNetworkPhone = (number = String(CALLER)) => JsSipPhone.start(client.emulator.origin, number);

function connect(usernames: readonly string[], rest: object = {}) {
  return { action: "connect", timeout: 30, call: usernames.map((user) => ({ type: "sip", user })), ...rest };
}

async function assign(document: unknown): Promise<void> {
  const { url } = await answerDocument(document);
  const body = JSON.stringify({ number: NUMBER, answerUrl: url });
  expect((await client.send("POST", "/_emulator/numbers", body)).status).toBe(200);
}

async function liveCalls() {
  return JSON.parse((await client.send("GET", "/_emulator/live-calls")).text);
}

/** Waits until the newest call has ended, and returns a line for each event. */
async function course(): Promise<string[]> {
  await until(async () => (await liveCalls())[0]?.state === "ended");
  const [{ timeline }] = await liveCalls();
  return timeline.map(({ at, ...event }: { at: number }) => Object.values(event).join(" "));
}

describe("a call to a number", () => {
  it("rings a group at the same time, shows `from`, and cancels the others when one answers", async () => {
    const [alice, bob, caller] = await Promise.all([start("alice"), start("bob"), startNetworkPhone()]);
    await assign([connect(["alice", "bob"], { ring_type: "group", from: 914471000001 })]);
    const call = caller.dial(NUMBER);
    const [atAlice, atBob] = await Promise.all([alice.ringing(), bob.ringing()]);
    expect(atAlice.from).toEqual(["914471000001", "914471000001"]);
    await call.untilRinging();
    atBob.answer();
    await call.untilTalking();
    expect(await atAlice.untilEnded()).toEqual({
      cause: "Canceled",
      reason: 'SIP;cause=200;text="Call completed elsewhere"',
    });
    await atBob.untilTalking();
    atBob.hangUp();
    expect((await call.untilEnded())?.cause).toBe("Terminated");
    const events = await course();
    expect(events.slice(0, 2).sort()).toEqual(["rings alice", "rings bob"]);
    expect(events.slice(2)).toEqual([
      "answers bob",
      "stops ringing alice",
      "hangs up bob",
      "ends endpoint hung up",
    ]);
  });
});
