import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { buildConnectAction, connectActionWarnings } from "../../src/pcmo/connect-action.js";
import { validatePcmo } from "../../src/pcmo/validate.js";
import { mutatedDocument, validDocument } from "./documents.js";

const call = [{ type: "sip", user: "alice" }];
const action_url = "https://app.example/digits";

describe("A PCMO document without errors", () => {
  it.each<[string, object]>([
    ["Plays welcome.mp3.", { action: "play", file_name: "welcome.mp3" }],
    ["Plays https://a.example/b.wav.", { action: "play", file_url: "https://a.example/b.wav" }],
    ['Says "Hello.".', { action: "speak", text: "Hello." }],
    ['Sends "vip" as extra_params in later webhooks.', { action: "param", text: "vip" }],
    [`Waits for 1 digit and posts it to ${action_url}.`, { action: "input", action_url }],
    [
      `Waits 5 seconds for 4 digits and posts them to ${action_url}.`,
      { action: "input", action_url, max_digit: 4, timeout: 5 },
    ],
    [
      `Plays menu.mp3, up to 3 times, waits 1 second for 1 digit and posts it to ${action_url}.`,
      { action: "play_get_input", file_name: "menu.mp3", action_url, max_digit: 1, max_retry: 3, timeout: 1 },
    ],
    [
      "Rings 914471000000, with the caller id 19170000000.",
      { action: "bridge", from: 19170000000, connect: [{ type: "pstn", number: 914471000000 }] },
    ],
    [
      "Rings alice for 40 seconds; the conversation can last up to 1 hour 30 minutes.",
      { action: "connect", call },
    ],
    [
      'Rings "front desk" for 40 seconds; the conversation can last up to 1 hour 30 minutes.',
      { action: "connect", call: [{ type: "sip", user: "front desk" }] },
    ],
    [
      "Rings alice and bob at the same time for 20 seconds; the conversation can last up to 10 minutes.",
      {
        action: "connect",
        duration: 600,
        timeout: 20,
        ring_type: "group",
        call: [...call, { type: "sip", user: "bob" }],
      },
    ],
    [
      "Rings a, b, c and 7 more one after another for 1 second each, up to 2 times, with video; the conversation can last up to 1 minute 1 second.",
      {
        action: "connect",
        duration: 61,
        timeout: 1,
        loop: 2,
        call_type: "video",
        call: [..."abcdefghij"].map((user) => ({ type: "sip", user })),
      },
    ],
    ["Records the call.", { action: "record" }],
    ["Streams the audio to wss://a.example/.", { action: "stream", ws_url: "wss://a.example/" }],
    [
      "Streams the audio of both sides to ws://a.example/ at 16000 Hz, starting when the call is answered.",
      {
        action: "stream",
        ws_url: "ws://a.example/",
        listen_mode: "both",
        voice_quality: "16000",
        stream_on_answer: true,
      },
    ],
    ["Hangs up.", { action: "hangup" }],
  ])("is described and left unchanged: %s", (sentence, action) => {
    const report = validatePcmo([action], "call");
    expect(report).toEqual({ valid: true, problems: [], description: [sentence], normalized: [action] });
    expect(JSON.stringify(report.normalized)).toBe(JSON.stringify([action]));
  });

  it.each([
    "call",
    "connect",
  ] as const)("is normalized to the key order of PIOPIY's samples, with the targets under %s", (key) => {
    const action = {
      connect: [{ user: "alice", type: "sip" }],
      record: false,
      ring_type: "single",
      call_type: "audio",
      loop: 1,
      from: 914471000000,
      timeout: 20,
      duration: 600,
      action: "connect",
    };
    expect(JSON.stringify(validatePcmo([action], key).normalized)).toBe(
      '[{"action":"connect","duration":600,"timeout":20,"from":914471000000,"loop":1,"call_type":"audio","record":false,' +
        `"${key}":[{"type":"sip","user":"alice"}]}]`,
    );
  });

  it("has a sentence for each action, and is unchanged when it is normalized a second time", () => {
    fc.assert(
      fc.property(validDocument, fc.constantFrom("call", "connect"), (document, key) => {
        const { valid, description, normalized } = validatePcmo(document, key);
        expect([valid, description.length]).toEqual([true, document.length]);
        expect(description.filter((sentence) => !/^[A-Z].*\.$/s.test(sentence))).toEqual([]);
        const again = validatePcmo(normalized, key);
        expect(JSON.stringify(again.normalized)).toBe(JSON.stringify(normalized));
        expect(again.description).toEqual(description);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it("is normalized without a change when connectAction built it, with the same warnings about SIP URIs", () => {
    const specification = fc.record({
      call: fc
        .uniqueArray(fc.oneof(fc.stringMatching(/^\S{1,9}$/), fc.stringMatching(/^sip:[a-z]{1,9}@sbc$/)), {
          minLength: 1,
          maxLength: 100,
        })
        .map((users) => users.map((user) => ({ user }))),
      from: fc.option(fc.stringMatching(/^\+?[1-9]\d{6,14}$/)),
      callType: fc.constantFrom("AUDIO", "VIDEO"),
      ringType: fc.constantFrom("SINGLE", "GROUP"),
      timeout: fc.integer({ min: 1, max: 600 }),
      duration: fc.integer({ min: 1, max: 86_400 }),
      loop: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(specification, fc.constantFrom("call", "connect"), (one, key) => {
        const document = buildConnectAction(one, key);
        const { problems, normalized } = validatePcmo(document, key);
        const expected = connectActionWarnings(one).filter(({ code }) => code === "SIP_URI_AS_USERNAME");
        expect(problems).toEqual(
          expected.map(({ code, message, path: [, index] }) => ({
            pointer: `/0/${key}/${index}/user`,
            code,
            severity: "WARNING",
            message,
          })),
        );
        expect(JSON.stringify(normalized)).toBe(JSON.stringify(document));
      }),
      { seed: 12, numRuns: 300 },
    );
  });
});

describe("Any document", () => {
  it("is not modified, and its problems point to values that exist in it", () => {
    fc.assert(
      fc.property(fc.oneof(mutatedDocument, fc.jsonValue()), (document) => {
        const before = JSON.stringify(document);
        const { valid, problems, description, normalized } = validatePcmo(document, "call");
        expect(JSON.stringify(document)).toBe(before);
        expect(valid).toBe(problems.every(({ severity }) => severity === "WARNING"));
        expect([normalized !== null, description.length > 0]).toEqual([valid, valid]);
        for (const { pointer, message } of problems) {
          expect(lookUp(document, pointer)).toBe(true);
          expect(message).toMatch(/^\S.*[.?]$/s);
        }
        const reported = problems.map(({ pointer, code, message }) => `${pointer} ${code} ${message}`);
        expect(new Set(reported).size).toBe(reported.length);
      }),
      { seed: 13, numRuns: 2000 },
    );
  });

  const nested = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);
  const many = (value: unknown) => Array.from({ length: 10_000 }, () => value);
  const keys = Object.fromEntries(many(1).map((_, index) => [`timeou${index}`, 1]));
  it.each<[string, unknown, string | undefined]>([
    ["10,000 actions", many({ action: "record" }), undefined],
    [
      "10,000 errors",
      many({ action: "play" }),
      "ERROR There are 9900 more problems. Fix the listed problems first.",
    ],
    [
      "10,000 warnings",
      many({ action: "play", file_name: "a" }),
      "WARNING There are 9900 more problems. Fix the listed problems first.",
    ],
    [
      "10,000 unknown keys",
      [{ action: "connect", call, ...keys }],
      "ERROR There are 9900 more problems. Fix the listed problems first.",
    ],
    [
      "10,000 targets",
      [{ action: "connect", call: many({ type: "sip", user: "a" }) }],
      "ERROR `call` must be a list of 1 to 100 targets (got a list of 10000).",
    ],
    ["100,000 lists in lists", nested, "ERROR An action must be an object (got a list of 1)."],
    [
      "100,000 lists in lists as a text",
      [{ action: "speak", text: nested }],
      "ERROR `text` must be a non-empty string (got a list of 1).",
    ],
    [
      "a text of 10 MB",
      [{ action: "x".repeat(1e7) }],
      `ERROR \`action\` must be one of play, speak, param, input, play_get_input, bridge, connect, record, stream, hangup (got "${"x".repeat(59)}…").`,
    ],
  ])("is validated quickly, with at most 100 problems reported, when it has %s", (_title, document, last) => {
    const start = performance.now();
    const { problems } = validatePcmo(document, "call");
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(problems.length).toBeLessThanOrEqual(101);
    const problem = problems.at(-1);
    expect(problem && `${problem.severity} ${problem.message}`).toBe(last);
  });
});

function lookUp(document: unknown, pointer: string): boolean {
  const steps = pointer.split("/").slice(1);
  let value = document;
  return steps.every((step) => {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const has = Object.hasOwn(Object(value), key);
    value = Object(value)[key];
    return has;
  });
}
