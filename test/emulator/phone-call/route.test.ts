import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import { answerDocument, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, startClient } from "../../support/emulator/emulator-client.js";

afterEach(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

/** Returns a connect action as in PIOPIY's samples, with these usernames as targets. */
function connect(usernames: readonly string[], rest: object = {}) {
  return {
    action: "connect",
    duration: 600,
    timeout: 20,
    from: 914471000000,
    loop: 1,
    call_type: "audio",
    call: usernames.map((user) => ({ type: "sip", user })),
    ...rest,
  };
}

/** Simulates a call and returns a line for each event: the second, the event, and its endpoint, action or reason. */
async function courseOf(document: unknown, behaviours?: object): Promise<string[]> {
  const client = await startClient();
  const { url } = await answerDocument(document);
  const { status, body } = await client.dial(url, behaviours && { behaviours });
  expect([status, body.error, body.reasons]).toEqual([200, undefined, undefined]);
  const last = body.timeline.at(-1);
  expect(last).toEqual({ at: body.endedAt, event: "ends", reason: body.reason });
  return body.timeline.map(({ at, ...event }: { at: number }) => [at, ...Object.values(event)].join(" "));
}

describe("a simulated call", () => {
  it("rings a group at the same time, and stops ringing the others when one answers", async () => {
    const client = await startClient();
    const document = [connect(["alice", "bob"], { ring_type: "group" })];
    const { url } = await answerDocument(document);
    const { status, body } = await client.dial(url, { behaviours: { alice: { answersAfter: 3 } } });
    expect(status).toBe(200);
    expect(body).toEqual({
      callId: expect.stringMatching(/^[\da-f-]{36}$/),
      document,
      timeline: [
        { at: 0, event: "rings", endpoint: "alice" },
        { at: 0, event: "rings", endpoint: "bob" },
        { at: 3, event: "answers", endpoint: "alice" },
        { at: 3, event: "stops ringing", endpoint: "bob" },
        { at: 603, event: "ends", reason: "duration" },
      ],
      endedAt: 603,
      reason: "duration",
    });
  });

  it("rings targets one after another, each for `timeout` seconds, and repeats the list `loop` times", async () => {
    const document = [connect(["alice", "bob"], { loop: 2 })];
    expect(await courseOf(document)).toEqual([
      "0 rings alice",
      "20 stops ringing alice",
      "20 rings bob",
      "40 stops ringing bob",
      "40 rings alice",
      "60 stops ringing alice",
      "60 rings bob",
      "80 stops ringing bob",
      "80 nobody answers",
      "80 ends end of document",
    ]);
  });

  it("rings an unanswered group `loop` times", async () => {
    const document = [connect(["alice", "bob"], { loop: 2, ring_type: "group" })];
    expect(await courseOf(document)).toEqual([
      "0 rings alice",
      "0 rings bob",
      "20 stops ringing alice",
      "20 stops ringing bob",
      "20 rings alice",
      "20 rings bob",
      "40 stops ringing alice",
      "40 stops ringing bob",
      "40 nobody answers",
      "40 ends end of document",
    ]);
  });

  it("skips busy, unregistered and unknown endpoints immediately, with ring type single and group", async () => {
    const usernames = ["ghost", "alice", "bob", "carol"];
    const behaviours = {
      ghost: { answersAfter: 1 },
      alice: "busy",
      bob: "unregistered",
      carol: { answersAfter: 5, hangsUpAfter: 60 },
    };
    const course = [
      "0 does not exist ghost",
      "0 is busy alice",
      "0 is not registered bob",
      "0 rings carol",
      "5 answers carol",
      "65 hangs up carol",
      "65 ends endpoint hung up",
    ];
    expect(await courseOf([connect(usernames)], behaviours)).toEqual(course);
    expect(await courseOf([connect(usernames, { ring_type: "group" })], behaviours)).toEqual(course);
  });

  it("uses the current endpoints of the emulator", async () => {
    const client = await startClient();
    const { url } = await answerDocument([connect(["alice", "erin"])]);
    await client.request("remove_sip", { username: "alice" });
    await client.request("add_sip", { username: "erin", password: "made-up-1" });
    const { body } = await client.dial(url);
    expect(body.timeline.slice(0, 2)).toEqual([
      { at: 0, event: "does not exist", endpoint: "alice" },
      { at: 0, event: "rings", endpoint: "erin" },
    ]);
  });

  it("treats names of inherited object properties as unknown endpoints", async () => {
    const course = await courseOf([connect(["constructor", "__proto__"])]);
    expect(course.slice(0, 2)).toEqual(["0 does not exist constructor", "0 does not exist __proto__"]);
  });

  it("runs the next action after an unanswered connect, and ends after an answered one", async () => {
    const document = [
      connect(["alice"], { timeout: 15 }),
      { action: "speak", text: "Hold the line." },
      connect(["bob"]),
      { action: "play", file_name: "never.wav" },
    ];
    expect(await courseOf(document, { bob: { answersAfter: 2 } })).toEqual([
      "0 rings alice",
      "15 stops ringing alice",
      "15 nobody answers",
      "15 runs speak",
      "15 rings bob",
      "17 answers bob",
      "617 ends duration",
    ]);
  });

  it("accepts every action of PIOPIY, without taking time for them, and ends at a hangup", async () => {
    const phone = { type: "pstn", number: 919999900000 };
    const document = [
      { action: "play", file_url: "https://files.example/welcome.mp3" },
      { action: "speak", text: "Welcome." },
      { action: "param", text: "from the shop" },
      { action: "input", action_url: "https://app.example/digits", max_digit: 1, timeout: 5 },
      { action: "play_get_input", file_name: "menu.wav", action_url: "https://app.example/digits" },
      { action: "record" },
      { action: "stream", ws_url: "wss://app.example/audio", listen_mode: "both", voice_quality: "8000" },
      { action: "bridge", from: 914471000000, ring_type: "group", connect: [phone] },
      { action: "hangup" },
      { action: "speak", text: "This is not spoken." },
    ];
    const runs = document.slice(0, 9).map(({ action }) => `0 runs ${action}`);
    expect(await courseOf(document)).toEqual([...runs, "0 ends hangup"]);
  });

  it("simulates two hours without waiting", async () => {
    const begin = performance.now();
    const course = await courseOf([connect(["alice"], { duration: 7200 })], { alice: { answersAfter: 0 } });
    expect(course).toEqual(["0 rings alice", "0 answers alice", "7200 ends duration"]);
    expect(performance.now() - begin).toBeLessThan(60_000);
  });

  it("uses PIOPIY's defaults, and accepts the target list under the key connect", async () => {
    const document = [{ action: "connect", connect: [{ type: "sip", user: "alice" }] }];
    expect(await courseOf(document, { alice: { answersAfter: 39 } })).toEqual([
      "0 rings alice",
      "39 answers alice",
      "5439 ends duration",
    ]);
    expect((await courseOf(document, { alice: { answersAfter: 40 } }))[1]).toBe("40 stops ringing alice");
  });

  it("is answered by the first in the list of two that answer in the same second", async () => {
    const behaviours = { alice: { answersAfter: 4 }, bob: { answersAfter: 4 } };
    const document = [connect(["bob", "alice"], { ring_type: "group" })];
    expect((await courseOf(document, behaviours)).slice(2, 4)).toEqual([
      "4 answers bob",
      "4 stops ringing alice",
    ]);
  });

  it("ends because of its duration when the phone would hang up in the same second", async () => {
    const behaviours = { alice: { answersAfter: 4, hangsUpAfter: 600 } };
    expect((await courseOf([connect(["alice"])], behaviours)).slice(2)).toEqual(["604 ends duration"]);
  });

  it("has only events and reasons that docs/emulator.md documents", () => {
    const source = readFileSync("src/emulator/phone-call/timeline.ts", "utf8");
    const types = source.slice(source.indexOf("type EndReason"), source.indexOf("class Timeline"));
    const names = [...types.matchAll(/"([a-z][a-z ]+)"/g)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(["end of document", "stops ringing", "nobody answers"]));
    const page = readFileSync("docs/emulator.md", "utf8");
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it("is not in the request log of the endpoint API", async () => {
    const client = await startClient();
    await client.dial((await answerDocument([{ action: "hangup" }])).url);
    expect(await client.requestLog()).toEqual([]);
  });
});
