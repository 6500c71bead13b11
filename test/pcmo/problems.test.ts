import { describe, expect, it } from "@jest/globals";
import { validatePcmo } from "../../src/pcmo/validate.js";

const call = [{ type: "sip", user: "alice" }];
const connect = { action: "connect", call };
const bridge = { action: "bridge", connect: [{ type: "pstn", number: 914471000000 }] };
const input = { action: "input", action_url: "https://app.example/digits" };

/** Returns the problems of a document in order, each as `pointer code`. */
function problems(document: unknown, severity = "ERROR"): string[] {
  const { problems } = validatePcmo(document, "call");
  return problems.filter((one) => one.severity === severity).map(({ pointer, code }) => `${pointer} ${code}`);
}

function message(document: unknown): string {
  const [problem, ...others] = validatePcmo(document, "call").problems;
  expect(others).toEqual([]);
  return problem?.message ?? "";
}

describe("An error in a PCMO document", () => {
  it.each<[string, unknown, string]>([
    ["null", null, " WRONG_TYPE"],
    ["text", '[{"action":"hangup"}]', " WRONG_TYPE"],
    ["an empty text in place of the list", "", " WRONG_TYPE"],
    ["an object with a length in place of the list", { length: 0 }, " WRONG_TYPE"],
    ["an action in place of the list", connect, " WRONG_TYPE"],
    ["an empty list", [], " NO_ACTIONS"],
    ["an element that is text", ["hangup"], "/0 WRONG_TYPE"],
    ["an element that is a list", [[connect]], "/0 WRONG_TYPE"],
    ["an element that is null", [null], "/0 WRONG_TYPE"],
    ["an empty object", [{}], "/0 MISSING_KEY"],
    ["no action", [{ file_name: "a.mp3" }], "/0 MISSING_KEY"],
    ["an unknown action with other errors", [{ action: "dial", call: 1, x: 2 }], "/0/action UNKNOWN_ACTION"],
    ["an action in capitals", [{ action: "HANGUP" }], "/0/action UNKNOWN_ACTION"],
    ["an action that is a number", [{ action: 1 }], "/0/action UNKNOWN_ACTION"],
    ["an action that is an object", [{ action: { toString: "" } }], "/0/action UNKNOWN_ACTION"],
    ["clear, which no sample shows", [{ action: "clear" }], "/0/action UNKNOWN_ACTION"],
    ["the action __proto__", [{ action: "__proto__" }], "/0/action UNKNOWN_ACTION"],
    ["no file", [{ action: "play" }], "/0 MISSING_KEY"],
    [
      "two files",
      [{ action: "play", file_name: "a.mp3", file_url: "http://a/b.mp3" }],
      "/0 CONFLICTING_KEYS",
    ],
    ["a file URL that is a name", [{ action: "play", file_url: "a.mp3" }], "/0/file_url INVALID_URL"],
    [
      "a file name that is a URL",
      [{ action: "play", file_name: "https://a/b.mp3" }],
      "/0/file_name INVALID_VALUE",
    ],
    ["a speak without text", [{ action: "speak" }], "/0 MISSING_KEY"],
    ["an empty text", [{ action: "speak", text: "" }], "/0/text EMPTY_TEXT"],
    ["a text that is an empty list", [{ action: "speak", text: [] }], "/0/text WRONG_TYPE"],
    ["a text that is an object", [{ action: "param", text: { a: 1 } }], "/0/text WRONG_TYPE"],
    ["an input without a URL", [{ action: "input" }], "/0 MISSING_KEY"],
    ["a URL with a space", [{ ...input, action_url: "http://a b" }], "/0/action_url INVALID_URL"],
    ["a URL of another scheme", [{ ...input, action_url: "ftp://a" }], "/0/action_url INVALID_URL"],
    ["a max_digit of 0", [{ ...input, max_digit: 0 }], "/0/max_digit OUT_OF_RANGE"],
    ["a timeout of half a second", [{ ...input, timeout: 0.5 }], "/0/timeout WRONG_TYPE"],
    ["a key of another action", [{ ...input, max_retry: 2 }], "/0/max_retry UNKNOWN_KEY"],
    ["a bridge without targets", [{ action: "bridge" }], "/0 MISSING_KEY"],
    [
      "a bridge with the key call",
      [{ action: "bridge", connect: bridge.connect, call }],
      "/0/call UNKNOWN_KEY",
    ],
    [
      "a phone number as text",
      [{ action: "bridge", connect: [{ type: "pstn", number: "914471000000" }] }],
      "/0/connect/0/number NUMBER_AS_TEXT",
    ],
    [
      "a short phone number",
      [{ action: "bridge", connect: [{ type: "pstn", number: 100 }] }],
      "/0/connect/0/number INVALID_PHONE_NUMBER",
    ],
    ["a SIP endpoint in a bridge", [{ action: "bridge", connect: call }], "/0/connect/0/type INVALID_VALUE"],
    ["no targets", [{ action: "connect" }], "/0 MISSING_KEY"],
    ["two lists of targets", [{ ...connect, connect: call }], "/0 CONFLICTING_KEYS"],
    ["an empty text in place of targets", [{ action: "connect", call: "" }], "/0/call WRONG_TYPE"],
    ["a long text in place of targets", [{ action: "connect", call: "x".repeat(101) }], "/0/call WRONG_TYPE"],
    ["an empty text in place of phones", [{ action: "bridge", connect: "" }], "/0/connect WRONG_TYPE"],
    ["an empty list of targets", [{ action: "connect", call: [] }], "/0/call NO_TARGETS"],
    [
      "101 targets",
      [{ action: "connect", call: Array.from({ length: 101 }, (_, n) => ({ type: "sip", user: `u${n}` })) }],
      "/0/call TOO_MANY_TARGETS",
    ],
    ["a target that is a name", [{ action: "connect", call: ["alice"] }], "/0/call/0 WRONG_TYPE"],
    ["one target without a list", [{ action: "connect", call: call[0] }], "/0/call WRONG_TYPE"],
    ["a target without a type", [{ action: "connect", call: [{ user: "alice" }] }], "/0/call/0 MISSING_KEY"],
    ["a target without a user", [{ action: "connect", call: [{ type: "sip" }] }], "/0/call/0 MISSING_KEY"],
    ["a phone in a connect", [{ action: "connect", call: bridge.connect }], "/0/call/0/type INVALID_VALUE"],
    [
      "a user with a line break",
      [{ action: "connect", call: [{ type: "sip", user: "a\nb" }] }],
      "/0/call/0/user INVALID_USERNAME",
    ],
    [
      "a user that is a number",
      [{ action: "connect", call: [{ type: "sip", user: 1001 }] }],
      "/0/call/0/user WRONG_TYPE",
    ],
    [
      "a duplicate user",
      [{ action: "connect", connect: [...call, { type: "sip", user: "bob" }, ...call] }],
      "/0/connect/2/user DUPLICATE_TARGET",
    ],
    ["a timeout in quotes", [{ ...connect, timeout: "20" }], "/0/timeout NUMBER_AS_TEXT"],
    ["a timeout in words", [{ ...connect, timeout: "twenty" }], "/0/timeout WRONG_TYPE"],
    ["a timeout of 601", [{ ...connect, timeout: 601 }], "/0/timeout OUT_OF_RANGE"],
    ["a timeout beyond the safe integers", [{ ...connect, timeout: 1e300 }], "/0/timeout OUT_OF_RANGE"],
    ["a duration of 0", [{ ...connect, duration: 0 }], "/0/duration OUT_OF_RANGE"],
    ["11 attempts", [{ ...connect, loop: 11 }], "/0/loop OUT_OF_RANGE"],
    ["a caller id in quotes", [{ ...connect, from: "+914471000000" }], "/0/from NUMBER_AS_TEXT"],
    ["a caller id of 16 digits", [{ ...connect, from: 1e15 }], "/0/from INVALID_PHONE_NUMBER"],
    ["a caller id that is null", [{ ...connect, from: null }], "/0/from WRONG_TYPE"],
    ["a call type in capitals", [{ ...connect, call_type: "AUDIO" }], "/0/call_type INVALID_VALUE"],
    ["another ring type", [{ ...connect, ring_type: "all" }], "/0/ring_type INVALID_VALUE"],
    ["record in quotes", [{ ...connect, record: "true" }], "/0/record WRONG_TYPE"],
    ["a stream without a URL", [{ action: "stream" }], "/0 MISSING_KEY"],
    ["a stream over http", [{ action: "stream", ws_url: "https://a" }], "/0/ws_url INVALID_URL"],
    [
      "a voice quality that is a number",
      [{ action: "stream", ws_url: "ws://a", voice_quality: 8000 }],
      "/0/voice_quality WRONG_TYPE",
    ],
    [
      "another listen mode",
      [{ action: "stream", ws_url: "ws://a", listen_mode: "all" }],
      "/0/listen_mode INVALID_VALUE",
    ],
    ["an unknown key in a hangup", [{ action: "hangup", reason: "busy" }], "/0/reason UNKNOWN_KEY"],
    ["a key with a slash and a tilde", [{ action: "hangup", "a/~b": 1 }], "/0/a~1~0b UNKNOWN_KEY"],
    ["an empty key", [{ action: "hangup", "": 1 }], "/0/ UNKNOWN_KEY"],
    ["a misspelled required key", [{ action: "play", filename: "a.mp3" }], "/0/filename UNKNOWN_KEY"],
    ["a misspelled target list", [{ action: "connect", calls: call }], "/0/calls UNKNOWN_KEY"],
    [
      "a misspelled user",
      [{ action: "connect", call: [{ type: "sip", usr: "alice" }] }],
      "/0/call/0/usr UNKNOWN_KEY",
    ],
  ])("is reported once: %s", (_title, document, problem) => {
    expect(problems(document)).toEqual([problem]);
  });

  const of = (action: string, key: string, target: object) => [{ action, [key]: [target] }];
  it.each<[string, unknown, string[]]>([
    [
      "a target with an unknown key and without type and user",
      of("connect", "call", { username: "alice" }),
      ["/0/call/0 MISSING_KEY", "/0/call/0 MISSING_KEY", "/0/call/0/username UNKNOWN_KEY"],
    ],
    [
      "a target without a type and with a misspelled user",
      of("connect", "connect", { usr: "alice" }),
      ["/0/connect/0 MISSING_KEY", "/0/connect/0/usr UNKNOWN_KEY"],
    ],
    [
      "a target with a misspelled type and an unknown key",
      of("connect", "call", { type: "SIP", username: "alice" }),
      ["/0/call/0/type INVALID_VALUE", "/0/call/0 MISSING_KEY", "/0/call/0/username UNKNOWN_KEY"],
    ],
    [
      "a target with an invalid type and an invalid user",
      of("connect", "call", { type: null, user: 1 }),
      ["/0/call/0/type WRONG_TYPE", "/0/call/0/user WRONG_TYPE"],
    ],
    [
      "a phone with an unknown key and without type and number",
      of("bridge", "connect", { phone: 914471000000 }),
      ["/0/connect/0 MISSING_KEY", "/0/connect/0 MISSING_KEY", "/0/connect/0/phone UNKNOWN_KEY"],
    ],
    ["an empty target", of("connect", "call", {}), ["/0/call/0 MISSING_KEY", "/0/call/0 MISSING_KEY"]],
    [
      "an action with unknown keys and without its keys",
      [{ action: "input", a: 1, b: 2 }],
      ["/0 MISSING_KEY", "/0/a UNKNOWN_KEY", "/0/b UNKNOWN_KEY"],
    ],
    [
      "an action with an unknown key and without its targets",
      [{ action: "connect", targets: call }],
      ["/0/targets UNKNOWN_KEY", "/0 MISSING_KEY"],
    ],
    ["a misspelled `action`", [{ acton: "hangup" }], ["/0/acton UNKNOWN_KEY"]],
    [
      "an action without a name and with a key that no action has",
      [{ file_name: "a.mp3", colour: 1, timeuot: 2 }],
      ["/0 MISSING_KEY", "/0/colour UNKNOWN_KEY", "/0/timeuot UNKNOWN_KEY"],
    ],
    [
      "a target of another action, of which only the type is reported",
      of("connect", "call", { type: "pstn", number: 914471000000, colour: 1 }),
      ["/0/call/0/type INVALID_VALUE"],
    ],
  ])("does not hide other errors of the same object: %s", (_title, document, expected) => {
    expect(problems(document)).toEqual(expected);
  });

  it("does not hide other errors: all are reported, in the order of the document", () => {
    const document = [
      { action: "dial" },
      { ...connect, timeout: "20", colour: 1, call: [{ type: "pstn" }, ...call, ...call], connect: [] },
      7,
      { action: "play", file_name: 1, file_url: "x" },
    ];
    expect(problems(document)).toEqual([
      "/0/action UNKNOWN_ACTION",
      "/1/timeout NUMBER_AS_TEXT",
      "/1/call/0/type INVALID_VALUE",
      "/1/call/2/user DUPLICATE_TARGET",
      "/1/connect NO_TARGETS",
      "/1/colour UNKNOWN_KEY",
      "/1 CONFLICTING_KEYS",
      "/2 WRONG_TYPE",
      "/3/file_name WRONG_TYPE",
      "/3/file_url INVALID_URL",
      "/3 CONFLICTING_KEYS",
    ]);
  });

  it.each<[unknown, string]>([
    [{}, "A PCMO document must be a list of actions (got an object)."],
    [{ a: 1, b: 2 }, "A PCMO document must be a list of actions (got an object)."],
    ["hangup", 'A PCMO document must be a list of actions (got "hangup").'],
    ["[hangup]", 'A PCMO document must be a list of actions (got "[hangup]").'],
    ['"hangup"', 'A PCMO document must be a list of actions (got "\\"hangup\\"").'],
    [7, "A PCMO document must be a list of actions (got 7)."],
    [
      { action: "hangup" },
      "A PCMO document must be a list of actions (got an object). Put the object in square brackets.",
    ],
    [
      { pcmo: [{ action: "hangup" }] },
      'A PCMO document must be a list of actions (got an object). Remove the key "pcmo" with its braces.',
    ],
    [
      { data: { actions: [] } },
      'A PCMO document must be a list of actions (got an object). Remove the key "data" with its braces and the key "actions" with its braces.',
    ],
    [
      { data: { connectAction: { pcmo: [connect], warnings: [] } }, extensions: { cost: { requested: 8 } } },
      'A PCMO document must be a list of actions (got an object). Remove everything around the value of the key "data", the key ' +
        '"connectAction" with its braces, and everything around the value of the key "pcmo".',
    ],
    [{ a: [connect], b: [connect] }, "A PCMO document must be a list of actions (got an object)."],
    [
      { pcmo: { action: "hangup" } },
      'A PCMO document must be a list of actions (got an object). Remove the key "pcmo" with its braces. Put the object in square brackets.',
    ],
    [
      '[{"action":"hangup"}]',
      'A PCMO document must be a list of actions (got "[{\\"action\\":\\"hangup\\"}]"). Remove the quotes around the JSON.',
    ],
    [
      '"[]"',
      'A PCMO document must be a list of actions (got "\\"[]\\""). Remove the quotes around the JSON and the quotes and backslashes inside them.',
    ],
    [
      '{"pcmo":[]}',
      'A PCMO document must be a list of actions (got "{\\"pcmo\\":[]}"). Remove the quotes around the JSON and the key "pcmo" with its braces.',
    ],
    [
      { pcmo: "[]" },
      'A PCMO document must be a list of actions (got an object). Remove the key "pcmo" with its braces and the quotes around the JSON.',
    ],
    [
      '{"action":"hangup"}',
      'A PCMO document must be a list of actions (got "{\\"action\\":\\"hangup\\"}"). Remove the quotes around the JSON. Put the object in square brackets.',
    ],
    [
      { a: { b: { c: { d: { e: { f: [] } } } } } },
      "A PCMO document must be a list of actions (got an object).",
    ],
    [
      [[{ action: "hangup" }]],
      "An action must be an object (got a list of 1). Remove the square brackets around the object.",
    ],
    [
      ['{"action":"hangup"}'],
      'An action must be an object (got "{\\"action\\":\\"hangup\\"}"). Remove the quotes around the JSON.',
    ],
    [
      [{ action: "connect", call: call[0] }],
      "`call` must be a list of 1 to 100 targets (got an object). Put the object in square brackets.",
    ],
    [
      [{ action: "connect", call: [call] }],
      "A target must be an object (got a list of 1). Remove the square brackets around the object.",
    ],
    [[{ action: "speak", text: { a: 1 } }], "`text` must be a non-empty string (got an object)."],
    [[{ acton: "hangup" }], 'Unknown key "acton" in an action. Did you mean `action`?'],
    [
      [{ action: "connect", call: [{ type: "sip", user: "alice", colour: 1 }] }],
      'Unknown key "colour" in a target of connect. The allowed keys are type, user.',
    ],
    [[1], "An action must be an object (got 1)."],
    [
      [{ action: "hangpu" }],
      "`action` must be one of play, speak, param, input, play_get_input, bridge, connect, record, stream, hangup " +
        '(got "hangpu"). Did you mean "hangup"?',
    ],
    [
      [{ ...connect, timeout: "20" }],
      '`timeout` must be a whole number from 1 to 600 (got "20"). Remove the quotes.',
    ],
    [[{ ...connect, loop: 0 }], "`loop` must be a whole number from 1 to 10 (got 0)."],
    [[{ ...input, max_digit: -1 }], "`max_digit` must be a whole number of at least 1 (got -1)."],
    [
      [{ ...connect, from: 12 }],
      "`from` must be a number of 7 to 15 digits with the country code, such as 914471000000 (got 12).",
    ],
    [
      [{ ...connect, from: "+914471000000" }],
      "`from` must be a number of 7 to 15 digits with the country code, such as 914471000000 " +
        '(got "+914471000000"). Remove the quotes and the plus sign.',
    ],
    [
      [{ action: "on" }],
      "`action` must be one of play, speak, param, input, play_get_input, bridge, connect, record, stream, hangup " +
        '(got "on").',
    ],
    [
      [{ ...connect, call_type: "VIDEO" }],
      '`call_type` must be "audio" or "video" (got "VIDEO"). Did you mean "video"?',
    ],
    [[{ ...connect, timeuot: 20 }], 'Unknown key "timeuot" in the action connect. Did you mean `timeout`?'],
    [
      [{ action: "record", colour: 1 }],
      'Unknown key "colour" in the action record. The allowed keys are action.',
    ],
    [
      [{ action: "input" }],
      "`action_url` is missing. It must be a URL that starts with http:// or https:// and contains no spaces.",
    ],
    [
      [{ action: "connect", call: [{ type: "sip", user: `\n${"x".repeat(99)}` }] }],
      `\`user\` must be a non-empty string without control characters (got "\\n${"x".repeat(58)}…").`,
    ],
  ])("has a message with the expected and the actual value: %j", (document, text) => {
    expect(message(document)).toBe(text);
  });
});

describe("A discouraged value or action in a PCMO document", () => {
  it.each<[string, unknown[], string[]]>([
    [
      "an action after a hangup",
      [{ action: "hangup" }, { action: "record" }, input],
      ["/1 UNREACHABLE_ACTION"],
    ],
    ["an action after a connect", [connect, bridge, { action: "record" }], ["/1 UNCERTAIN_ACTION"]],
    [
      "an action after a connect and a hangup",
      [connect, { action: "hangup" }, input],
      ["/1 UNCERTAIN_ACTION", "/2 UNREACHABLE_ACTION"],
    ],
    [
      "a file of another type",
      [{ action: "play", file_name: "a.ogg" }],
      ["/0/file_name UNCERTAIN_FILE_TYPE"],
    ],
    [
      "a file without an extension",
      [{ ...input, action: "play_get_input", file_url: "https://a/b?c.mp3" }],
      ["/0/file_url UNCERTAIN_FILE_TYPE"],
    ],
    ["a recorded connect", [{ ...connect, record: true }], ["/0/record UNDOCUMENTED_KEY"]],
    ["a connect that is not recorded", [{ ...connect, record: false }], []],
    [
      "users that look like SIP URIs",
      [
        {
          action: "connect",
          call: ["sip:alice@sbc.example", "bob", "carol@home"].map((user) => ({ type: "sip", user })),
        },
      ],
      ["/0/call/0/user SIP_URI_AS_USERNAME", "/0/call/2/user SIP_URI_AS_USERNAME"],
    ],
    [
      "a user that looks like a SIP URI, under the other key, in a recorded connect",
      [{ action: "connect", connect: [{ type: "sip", user: "SIPS:alice" }], record: true }],
      ["/0/record UNDOCUMENTED_KEY", "/0/connect/0/user SIP_URI_AS_USERNAME"],
    ],
    [
      "a file extension in capitals, or before a query",
      [
        { action: "play", file_name: "A.WAV" },
        { action: "play", file_url: "https://a/b.mp3?c" },
      ],
      [],
    ],
  ])("causes the expected warnings, and the document is valid: %s", (_title, document, warnings) => {
    expect(problems(document, "WARNING")).toEqual(warnings);
    expect(validatePcmo(document, "call").valid).toBe(true);
  });

  it.each([
    ["sip:alice:made-up@sbc.example", 'Use "alice".'],
    ["sip:front%20desk@sbc.example", 'Use "front desk".'],
    ["@sbc.example", "Use the username without scheme and host."],
  ])("has a message with the username to use, without a password: %s", (user, advice) => {
    expect(message([{ action: "connect", call: [{ type: "sip", user }] }])).toBe(
      `This user looks like a SIP URI, but PIOPIY rings a SIP endpoint by its username. ${advice}`,
    );
  });

  it("is reported after the errors of other actions", () => {
    const { problems } = validatePcmo([{ action: "play", file_name: "a" }, 1], "call");
    expect(problems.map(({ severity }) => severity)).toEqual(["ERROR", "WARNING"]);
  });
});
