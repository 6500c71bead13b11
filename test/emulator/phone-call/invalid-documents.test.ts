import { afterEach, describe, expect, it } from "@jest/globals";
import { answerDocument, answerWith, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, startClient } from "../../support/emulator/emulator-client.js";

afterEach(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

const alice = { type: "sip", user: "alice" };
const connect = { action: "connect", call: [alice] };
const input = { action: "input", action_url: "http://app.example/" };
const known = "connect, bridge, play, speak, param, input, play_get_input, record, stream, hangup";

async function reasonsOf(url: string): Promise<string[]> {
  const { status, body } = await (await startClient()).dial(url);
  expect(status).toBe(422);
  return body.reasons;
}

describe("a document", () => {
  it.each([
    ["no array", connect, "document: expected an array of actions, got {"],
    ["null", null, "document: expected an array of actions, got null"],
    ["empty", [], "document: expected at least one action, got an empty array"],
  ])("is rejected when it is %s", async (_what, document, reason) => {
    expect(await reasonsOf((await answerDocument(document)).url)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    [3, `[0]: expected an object whose action is one of ${known}, got 3`],
    [{}, "[0].action: expected an object whose action is one of"],
    [{ action: "dial" }, 'got {"action":"dial"}'],
    [{ action: "constructor" }, 'got {"action":"constructor"}'],
    [{ action: "connect" }, "[0]: expected either call or connect, got neither"],
    [{ ...connect, connect: [alice] }, "[0]: expected either call or connect, got both"],
    [{ ...connect, call: [] }, "[0].call: expected a list of at least one target, got []"],
    [{ ...connect, call: alice }, "[0].call: expected a list of at least one target"],
    [{ ...connect, call: ["alice"] }, '[0].call[0]: expected an object, got "alice"'],
    [
      { ...connect, call: [{ type: "pstn", user: "a" }] },
      'expected "sip" (for phone numbers, use the action bridge), got "pstn"',
    ],
    [{ ...connect, call: [{ type: "sip", user: 7 }] }, "[0].call[0].user: expected a non-empty string"],
    [{ ...connect, call: [{ type: "sip", user: "" }] }, "[0].call[0].user: expected a non-empty string"],
    [{ ...connect, call: [{ type: "sip" }] }, "expected a non-empty string, got nothing"],
    [
      { ...connect, call: [{ ...alice, number: 7 }] },
      'unknown keys ["number"]; the keys of a target are type, user',
    ],
    [{ ...connect, timeout: 0 }, "expected a whole number of seconds from 1 to 600, got 0"],
    [{ ...connect, timeout: "20" }, 'got "20"'],
    [{ ...connect, timeout: 601 }, "[0].timeout"],
    [{ ...connect, duration: 86_401 }, "expected a whole number of seconds from 1 to 86400"],
    [{ ...connect, duration: 1.5 }, "[0].duration"],
    [{ ...connect, loop: 0 }, "expected a whole number of attempts from 1 to 100, got 0"],
    [{ ...connect, loop: 101 }, "[0].loop"],
    [{ ...connect, from: "+914471000000" }, 'as a JSON number, such as 914471000000, got "+914471000000"'],
    [{ ...connect, from: null }, "[0].from"],
    [{ ...connect, ring_type: "all" }, '[0].ring_type: expected "single" or "group", got "all"'],
    [{ ...connect, call_type: "AUDIO" }, '[0].call_type: expected "audio" or "video"'],
    [{ ...connect, record: "true" }, "[0].record: expected true or false"],
    [
      { ...connect, ringType: "group" },
      'unknown keys ["ringType"]; the keys of connect are action, from, duration',
    ],
    [
      { action: "bridge", connect: [{ type: "sip", number: 919999900000 }] },
      '[0].connect[0].type: expected "pstn", got "sip"',
    ],
    [{ action: "bridge" }, "[0].connect: expected a list of at least one target, got nothing"],
    [{ action: "play" }, "[0]: expected either file_name or file_url, got neither"],
    [{ action: "play", file_name: "a", file_url: "https://a.example/a.wav" }, "got both"],
    [{ action: "play", file_url: "a.wav" }, "[0].file_url: expected a URL with the scheme http or https"],
    [
      { action: "play_get_input", file_name: "a" },
      "[0].action_url: expected a URL with the scheme http or https",
    ],
    [{ ...input, max_digit: 0 }, "[0].max_digit: expected a whole number of digits from 1 to 100"],
    [{ action: "speak" }, "[0].text: expected a non-empty string, got nothing"],
    [{ action: "param", text: 3 }, "[0].text: expected a non-empty string, got 3"],
    [
      { action: "stream", ws_url: "https://a.example" },
      "[0].ws_url: expected a URL with the scheme ws or wss",
    ],
    [{ action: "hangup", reason: "late" }, 'unknown keys ["reason"]; the keys of hangup are action'],
  ])("is rejected for one reason when it contains %j", async (action, reason) => {
    const reasons = await reasonsOf((await answerDocument([action])).url);
    expect(reasons).toEqual([expect.stringContaining(reason)]);
    expect(reasons[0]).toMatch(/^document\[0\].*\.$/);
  });

  it("is rejected with all its problems together, each with its path", async () => {
    const { url } = await answerDocument([
      { ...connect, timeout: 0, call: [alice, { type: "sip" }], connect: [alice], colour: "red" },
      { action: "dial" },
    ]);
    expect((await reasonsOf(url)).map((reason) => reason.split(":")[0])).toEqual([
      "document[0].timeout",
      "document[0].call[1].user",
      "document[0]",
      "document[0]",
      "document[1].action",
    ]);
  });

  it("is rejected with at most 50 problems", async () => {
    const reasons = await reasonsOf((await answerDocument(Array(5000).fill(1))).url);
    expect(reasons).toHaveLength(51);
    expect(reasons.at(-1)).toBe("There are 4950 more problems.");
  });

  it("is rejected when its call would have more than 10,000 events", async () => {
    const call = Array(101).fill({ type: "sip", user: "nobody" });
    expect(await reasonsOf((await answerDocument([{ ...connect, call, loop: 100 }])).url)).toEqual([
      "The call would have more than 10000 events. Lower `loop`, or use fewer targets or actions.",
    ]);
  });

  it("is rejected when it is nested too deeply to be shown", async () => {
    const { url } = await answerWith(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(await reasonsOf(url)).toEqual([expect.stringContaining("nested too deeply")]);
  });
});
