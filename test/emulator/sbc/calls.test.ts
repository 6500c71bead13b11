import { networkInterfaces } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import {
  answerDocument,
  closeAnswerServers,
  startAnswerServer,
} from "../../support/emulator/answer-server.js";
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

/** An address of this machine that is not loopback, if it has one. */
const lan = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

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

const mediaOf = (sdp = "") =>
  [...sdp.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind, port]) => `${kind} ${port}`);

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

  it("rings targets one after another, `loop` times, skips those that cannot ring, and leaves missed calls", async () => {
    const [alice, bob, caller] = await Promise.all([start("alice"), start("bob"), startNetworkPhone()]);
    await assign([
      connect(["ghost", "carol", "bob", "alice"], { timeout: 1, loop: 2 }),
      { action: "speak", text: "Nobody is here." },
    ]);
    const call = caller.dial(NUMBER);
    for (const round of [0, 1]) (await bob.ringing(round)).hangUp(486);
    expect(await call.untilEnded()).toEqual({
      cause: "Unavailable",
      status: 480,
      reason: 'SIP;cause=408;text="stops ringing";endpoint="alice"',
    });
    const round = [
      "does not exist ghost",
      "is not registered carol",
      "rings bob",
      "is busy bob",
      "rings alice",
      "stops ringing alice",
    ];
    expect(await course()).toEqual([
      ...round,
      ...round,
      "nobody answers",
      "runs speak",
      "ends end of document",
    ]);
    // Without a Reason, a phone shows a missed call.
    expect(alice.calls.map(({ end }) => end)).toEqual([
      { cause: "Canceled", reason: undefined },
      { cause: "Canceled", reason: undefined },
    ]);
  });

  it("reports how each phone refuses", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone()]);
    const statuses = [486, 600, 603, 403, 480, 404, 488, 415, 606, 408, 500, 302];
    await assign([connect(["alice"], { loop: statuses.length })]);
    const call = caller.dial(NUMBER);
    for (const [round, status] of statuses.entries()) (await alice.ringing(round)).hangUp(status);
    await call.untilEnded();
    const events = (await course()).filter((event) => event !== "rings alice");
    expect(events).toEqual([
      "is busy alice",
      "is busy alice",
      "declines alice",
      "declines alice",
      "is not available alice",
      "is not available alice",
      "cannot take this call alice",
      "cannot take this call alice",
      "cannot take this call alice",
      "cannot be reached alice",
      "refuses alice 500",
      "refuses alice 302",
      "nobody answers",
      "ends end of document",
    ]);
  });

  it("rings all phones of an endpoint as one, with the best of their results", async () => {
    const [desk, mobile, caller] = await Promise.all([start("alice"), start("alice"), startNetworkPhone()]);
    await assign([connect(["alice"], { loop: 3 })]);
    const call = caller.dial(NUMBER);
    (await desk.ringing(0)).hangUp(500);
    (await mobile.ringing(0)).hangUp(486);
    // 603 is for all phones of the user: the other one stops ringing.
    const other = await desk.ringing(1);
    (await mobile.ringing(1)).hangUp(603);
    expect((await other.untilEnded())?.reason).toBe('SIP;cause=603;text="declines"');
    const loser = await desk.ringing(2);
    (await mobile.ringing(2)).answer();
    await call.untilTalking();
    expect((await loser.untilEnded())?.reason).toContain("Call completed elsewhere");
    call.hangUp();
    expect(await course()).toEqual([
      "rings alice",
      "is busy alice",
      "rings alice",
      "declines alice",
      "rings alice",
      "answers alice",
      "ends caller hung up",
    ]);
  });

  it("ends after `duration` seconds on both phones", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone()]);
    await assign([connect(["alice"], { duration: 1 })]);
    const call = caller.dial(NUMBER);
    const atAlice = await alice.ringing();
    atAlice.answer();
    await Promise.all([call.untilEnded(), atAlice.untilEnded()]);
    const [{ timeline }] = await liveCalls();
    expect(await course()).toEqual(["rings alice", "answers alice", "ends duration"]);
    expect(timeline.at(-1).at - timeline.at(-2).at).toBeGreaterThanOrEqual(0.99);
  });

  it("passes video through, unless the call type is audio", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone()]);
    for (const [index, [type, media]] of (
      [
        [undefined, ["audio 9", "video 9"]],
        ["video", ["audio 9", "video 9"]],
        ["audio", ["audio 9", "video 0"]],
      ] as const
    ).entries()) {
      await assign([connect(["alice"], type && { call_type: type })]);
      const call = caller.dial(NUMBER);
      const atAlice = await alice.ringing(index);
      atAlice.answer();
      await call.untilTalking();
      expect(mediaOf(atAlice.received[0])).toEqual(media);
      expect(mediaOf(call.received[0])).toEqual(media);
      if (type === "audio") {
        expect(atAlice.received[0]).toContain("a=group:BUNDLE 0\r\n");
        expect(atAlice.received[0]).not.toContain("a=bundle-only");
      }
      call.hangUp();
      await atAlice.untilEnded();
    }
  });

  it("relays hold and digits both ways", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone()]);
    await assign([connect(["alice"], { call_type: "audio" })]);
    const call = caller.dial(NUMBER);
    const atAlice = await alice.ringing();
    atAlice.answer();
    await Promise.all([call.untilTalking(), atAlice.untilTalking()]);
    const settled = () => until(() => call.session.isReadyToReOffer() && atAlice.session.isReadyToReOffer());
    for (const [one, other] of [
      [call, atAlice],
      [atAlice, call],
    ] as const) {
      one.session.hold();
      await until(() => other.session.isOnHold().remote);
      expect(mediaOf(other.received.at(-1))).toEqual(["audio 9", "video 0"]);
      await settled();
      one.session.unhold();
      await until(() => !other.session.isOnHold().remote);
      one.session.sendDTMF("5");
      await until(() => other.digits.length === 1);
      expect(other.digits).toEqual(["5"]);
      await settled();
    }
    call.hangUp();
    expect(await course()).toEqual(["rings alice", "answers alice", "ends caller hung up"]);
  });

  it("ends when the connection of a phone breaks, in ringing and in talk", async () => {
    await assign([connect(["alice"])]);
    const [first, alice] = await Promise.all([startNetworkPhone(), start("alice")]);
    first.dial(NUMBER);
    const missed = await alice.ringing();
    await first.breakConnection();
    await missed.untilEnded();
    expect(await course()).toEqual(["rings alice", "stops ringing alice", "ends connection lost"]);

    const second = await startNetworkPhone();
    const talk = second.dial(NUMBER);
    const atAlice = await alice.ringing(1);
    atAlice.answer();
    await talk.untilTalking();
    await second.breakConnection();
    await atAlice.untilEnded();
    expect(await course()).toEqual(["rings alice", "answers alice", "ends connection lost"]);

    const third = await startNetworkPhone();
    const other = third.dial(NUMBER);
    (await alice.ringing(2)).answer();
    await other.untilTalking();
    await alice.breakConnection();
    await other.untilEnded();
    expect(await course()).toEqual(["rings alice", "answers alice", "ends connection lost"]);

    const bob = await start("bob");
    await assign([connect(["bob"])]);
    const last = third.dial(NUMBER);
    await bob.ringing();
    await last.untilRinging();
    await bob.breakConnection();
    await last.untilEnded();
    expect(await course()).toEqual([
      "rings bob",
      "cannot be reached bob",
      "nobody answers",
      "ends end of document",
    ]);
  });

  it("ends when the caller hangs up while phones ring, or while the answer URL is requested", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone()]);
    await assign([connect(["alice"]), connect(["bob"])]);
    const call = caller.dial(NUMBER);
    const missed = await alice.ringing();
    await call.untilRinging();
    call.hangUp();
    expect(await missed.untilEnded()).toEqual({ cause: "Canceled", reason: undefined });
    expect(await course()).toEqual(["rings alice", "stops ringing alice", "ends caller hung up"]);

    const { url, requests } = await startAnswerServer(() => {});
    await client.send("POST", "/_emulator/numbers", JSON.stringify({ number: NUMBER, answerUrl: url }));
    const early = caller.dial(NUMBER);
    await until(() => requests.length === 1);
    expect((await liveCalls())[0]).toMatchObject({ state: "fetching", to: NUMBER, from: CALLER });
    early.hangUp();
    expect(await course()).toEqual(["ends caller hung up"]);
  });

  it("stops ringing an endpoint that is removed", async () => {
    const [alice, bob, caller] = await Promise.all([start("alice"), start("bob"), startNetworkPhone()]);
    await assign([connect(["alice", "bob"], { ring_type: "group" })]);
    const call = caller.dial(NUMBER);
    const [missed, other] = await Promise.all([alice.ringing(), bob.ringing()]);
    await until(async () => (await liveCalls())[0].timeline.length === 2);
    await client.request("remove_sip", { username: "alice" });
    expect((await missed.untilEnded())?.cause).toBe("Canceled");
    expect(other.state).toBe("ringing");
    await client.request("remove_sip", { username: "bob" });
    expect((await call.untilEnded())?.reason).toBe('SIP;cause=480;text="does not exist";endpoint="bob"');
    expect((await course()).slice(2)).toEqual([
      "does not exist alice",
      "does not exist bob",
      "nobody answers",
      "ends end of document",
    ]);
  });

  it("ends with the status and the reason of the document's end, and lists the problems of a document", async () => {
    const caller = await startNetworkPhone();
    const end = async (document: unknown) => {
      if (document !== undefined) await assign(document);
      const { status, reason } = (await caller.dial(NUMBER).untilEnded()) ?? {};
      expect(reason).toMatch(/^SIP;cause=\d+;text="[\w ]+"/);
      return [status, reason?.split(";", 3).slice(1).join(";"), ...(await course())];
    };
    expect(await end(undefined)).toEqual([404, 'cause=404;text="no document"', "ends no document"]);
    expect(await end([{ action: "hangup" }, connect(["alice"])])).toEqual([
      603,
      'cause=603;text="hangup"',
      "runs hangup",
      "ends hangup",
    ]);
    expect(await end([{ action: "record" }])).toEqual([
      480,
      'cause=480;text="end of document"',
      "runs record",
      "ends end of document",
    ]);
    expect(await end([{ action: "dance" }])).toEqual([
      500,
      'cause=500;text="no document"',
      "ends no document",
    ]);
    expect((await liveCalls())[0].reasons).toEqual([expect.stringContaining("dance")]);
    expect(await end([connect(Array(100).fill("ghost"), { loop: 100 }), connect(["ghost"])])).toContain(500);
    expect((await liveCalls())[0].reasons).toEqual([expect.stringContaining("10000 events")]);
  });
});

describe("a phone", () => {
  it("posts the number of the caller to the answer URL, or the username of an endpoint", async () => {
    const [alice, caller] = await Promise.all([start("alice"), startNetworkPhone(`+${CALLER}`)]);
    const { url, requests } = await answerDocument([{ action: "hangup" }]);
    await client.send("POST", "/_emulator/numbers", JSON.stringify({ number: NUMBER, answerUrl: url }));
    await caller.dial(`+${NUMBER}`).untilEnded();
    await alice.dial(NUMBER).untilEnded();
    const [first, second] = requests.map(({ body }) => JSON.parse(body));
    const { callId } = (await liveCalls())[0];
    expect(first).toMatchObject({ from: String(CALLER), to: String(NUMBER), action: "inbound" });
    expect(second).toMatchObject({ from: "alice", to: String(NUMBER), cmiuuid: callId });
    expect((await liveCalls()).map(({ from }: { from: unknown }) => from)).toEqual(["alice", CALLER]);
  });

  it("calls another endpoint by its name", async () => {
    const [alice, bob] = await Promise.all([start("alice"), start("bob")]);
    const call = alice.dial("bob");
    const atBob = await bob.ringing();
    expect(atBob.from).toEqual(["alice", "alice"]);
    atBob.answer();
    await call.untilTalking();
    expect((await liveCalls())[0]).toMatchObject({ state: "talking", to: "bob", from: "alice" });
    call.hangUp();
    await atBob.untilEnded();
    expect(await course()).toEqual(["rings bob", "answers bob", "ends caller hung up"]);
    expect((await alice.dial("ghost").untilEnded())?.status).toBe(404);
  });

  it("calls as a number from all addresses of the machine of the emulator", async () => {
    const other = await startClient({ host: lan ?? "127.0.0.1" });
    const caller = await JsSipPhone.start(other.emulator.origin, String(CALLER));
    expect((await caller.dial("ghost").untilEnded())?.status).toBe(404);
  });

  it("calls only as itself, or as a number", async () => {
    const [stranger, unknown, alice] = await Promise.all([
      JsSipPhone.start(client.emulator.origin, "alice"),
      JsSipPhone.start(client.emulator.origin, "ghost"),
      start("alice"),
    ]);
    expect((await stranger.dial("bob").untilEnded())?.status).toBe(407);
    expect((await unknown.dial("bob").untilEnded())?.status).toBe(403);
    alice.ua.set("display_name", "Bob");
    expect((await alice.dial("bob", { fromUserName: "bob" }).untilEnded())?.status).toBe(403);
    expect(await liveCalls()).toEqual([]);
  });
});

describe("POST /_emulator/call with `real`", () => {
  const place = (answerUrl: string, rest: object = {}) => client.dial(answerUrl, { real: true, ...rest });

  it("has the same events as the simulated call with the same phones", async () => {
    const [alice, bob, dave] = await Promise.all([start("alice"), start("bob"), start("dave")]);
    const { url, requests } = await answerDocument([
      connect(["ghost", "carol", "alice", "dave"], { timeout: 1 }),
      { action: "speak", text: "Please hold." },
      connect(["alice", "bob"], { ring_type: "group", duration: 1 }),
      { action: "record" },
    ]);
    const behaviours = { alice: "busy", bob: { answersAfter: 0 }, carol: "unregistered" };
    const simulated = await client.dial(url, { behaviours });
    alice.isBusy = true;
    const [real] = await Promise.all([place(url), bob.ringing().then((call) => call.answer())]);
    const events = (timeline: { at: number }[]) => timeline.map(({ at, ...event }) => event);
    expect(events(real.body.timeline)).toEqual(events(simulated.body.timeline));
    expect(Object.keys(real.body)).toEqual(Object.keys(simulated.body));
    expect(real.body).toMatchObject({ document: simulated.body.document, reason: "duration" });
    expect(real.body.endedAt).toBe(real.body.timeline.at(-1).at);
    for (const [index, { at }] of simulated.body.timeline.entries()) {
      expect(real.body.timeline[index].at).toBeGreaterThanOrEqual(at - 0.05);
    }
    const [one, other] = requests.map(({ body }) => Object.keys(JSON.parse(body)));
    expect(one).toEqual(other);
    expect(dave.calls[0]?.from[0]).toBe(String(CALLER));
  });

  it("returns the id at once with `wait` false, and is silent for the phone", async () => {
    const bob = await start("bob");
    const { url } = await answerDocument([connect(["bob"])]);
    const { body } = await place(url, { wait: false });
    const atBob = await bob.ringing();
    await until(async () => (await liveCalls())[0].timeline.length === 1);
    expect(await liveCalls()).toEqual([
      { ...body, to: NUMBER, from: CALLER, state: "ringing", timeline: [expect.anything()] },
    ]);
    atBob.answer();
    await atBob.untilTalking();
    expect(mediaOf(atBob.received[0])).toEqual(["audio 0", "video 0"]);
    atBob.session.hold();
    await until(() => atBob.received.length === 2);
    atBob.session.sendDTMF("1");
    // A reset does not end a call.
    await assign([]);
    await client.reset({});
    expect(await liveCalls()).toMatchObject([{ state: "talking" }]);
    expect((await client.send("GET", "/_emulator/numbers")).text).toBe("[]");
    atBob.hangUp();
    expect(await course()).toEqual(["rings bob", "answers bob", "hangs up bob", "ends endpoint hung up"]);
    await client.reset({});
    expect(await liveCalls()).toEqual([]);
  });

  it("ends when the client disconnects", async () => {
    const bob = await start("bob");
    const { url } = await answerDocument([connect(["bob"])]);
    const aborting = new AbortController();
    const body = JSON.stringify({ to: NUMBER, from: CALLER, answerUrl: url, real: true });
    const request = client.send("POST", "/_emulator/call", body, "application/json", aborting.signal);
    const missed = await bob.ringing();
    aborting.abort();
    await expect(request).rejects.toThrow();
    expect((await missed.untilEnded())?.reason).toBeUndefined();
    expect(await course()).toEqual(["rings bob", "stops ringing bob", "ends caller hung up"]);
  });

  it("returns 422 with the problems of the document", async () => {
    const { url } = await answerDocument([{ action: "dance" }]);
    const [simulated, real] = await Promise.all([client.dial(url), place(url)]);
    expect(real).toEqual(simulated);
    expect(real.status).toBe(422);
  });

  it("is rejected while 200 calls are in progress, as is an INVITE", async () => {
    const busy = await startClient();
    const { url } = await startAnswerServer(() => {});
    const dial = () => busy.dial(url, { real: true, wait: false });
    for (const { status } of await Promise.all(Array.from({ length: 200 }, dial))) expect(status).toBe(200);
    const { status, body } = await dial();
    expect([status, body.error]).toEqual([503, expect.stringContaining("200 calls are in progress")]);
    const caller = await JsSipPhone.start(busy.emulator.origin, String(CALLER));
    expect((await caller.dial(NUMBER).untilEnded())?.status).toBe(503);
    // Ends the calls, or would wait for their answer URLs.
    await busy.emulator.close();
  });
});
