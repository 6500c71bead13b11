import { z } from "zod";
import { USERNAME_PATTERN } from "../sip/username.js";

/*
 * The fields of PCMO actions. The message of each check completes the sentence "`timeout` must be …". The descriptions are
 * for the published JSON Schema.
 */

function integerUpTo(maximum: number, meaning: string) {
  return integer(maximum, `a whole number from 1 to ${maximum}`, meaning);
}

/** Returns the schema of a number without a maximum: PIOPIY documents no maximum, and this gateway needs none. */
function count(meaning: string) {
  return integer(Number.MAX_SAFE_INTEGER, "a whole number of at least 1", meaning);
}

function integer(maximum: number, expectation: string, meaning: string) {
  return z.int(expectation).min(1, expectation).max(maximum, expectation).describe(meaning);
}

function text(meaning: string) {
  const expectation = "a non-empty string";
  return z.string(expectation).min(1, expectation).describe(meaning);
}

function url(schemes: string, pattern: RegExp, meaning: string) {
  const expectation = `a URL that starts with ${schemes} and contains no spaces`;
  return z.string(expectation).regex(pattern, expectation).describe(meaning);
}

function choice<const Value extends string>(values: readonly Value[], meaning: string) {
  const quoted = values.map((value) => `"${value}"`).join(" or ");
  return z.enum(values, quoted).describe(meaning);
}

const webUrl = (meaning: string) =>
  url("http:// or https://", /^https?:\/\/[^\s\p{Cc}/?#][^\s\p{Cc}]*$/u, meaning);

const digits = "a number of 7 to 15 digits with the country code, such as 914471000000";
const phoneNumber = z
  .int(digits)
  .min(1_000_000, digits)
  .max(999_999_999_999_999, digits)
  .describe("A phone number with the country code, as a JSON number of 7 to 15 digits.");

const username = "a non-empty string without control characters";
export const sipTarget = z.strictObject(
  {
    type: z.literal("sip", '"sip"'),
    user: z.string(username).regex(USERNAME_PATTERN, username).describe("The username of the SIP endpoint."),
  },
  "an object",
);
export const phoneTarget = z.strictObject(
  { type: z.literal("pstn", '"pstn"'), number: phoneNumber },
  "an object",
);

function targets<Target extends typeof sipTarget | typeof phoneTarget>(target: Target, meaning: string) {
  const expectation = "a list of 1 to 100 targets";
  return z.array(target, expectation).min(1, expectation).max(100, expectation).describe(meaning);
}

/** Allows each user once. Targets of the same user are equal, so JSON Schema can express the rule as unique items. */
const sipTargets = targets(sipTarget, "The SIP endpoints to ring: 1 to 100, each user only once.")
  .superRefine(
    (list, { addIssue }) => {
      const indexes = new Map<unknown, number>();
      for (const [index, target] of list.entries()) {
        const user: unknown = Object(target).user;
        const first = indexes.get(user);
        if (first === undefined) indexes.set(user, index);
        else if (typeof user === "string") {
          addIssue({ code: "custom", path: [index, "user"], params: { first } });
        }
      }
    },
    // By default zod skips a refinement when the targets have other errors.
    { when: ({ value }) => Array.isArray(value) },
  )
  .meta({ uniqueItems: true });

/** The fields of the actions of a PCMO document. */
export const actionFields = {
  talkSeconds: integerUpTo(
    86_400,
    "Maximum length of the conversation in seconds. The default for connect is 5400.",
  ),
  ringSeconds: integerUpTo(600, "Seconds to ring each target. The default for connect is 40."),
  attempts: integerUpTo(10, "Number of times to ring the targets. The default for connect is 1."),
  callerId: phoneNumber.describe("The caller id shown to the targets: 7 to 15 digits with the country code."),
  callType: choice(["audio", "video"], "An audio call or a video call."),
  ringType: choice(
    ["single", "group"],
    "Whether the targets ring one after another (single, the default) or at the same time (group).",
  ),
  sipTargets,
  phoneTargets: targets(phoneTarget, "The phones to ring: 1 to 100."),
  isRecorded: z
    .boolean("true or false")
    .describe("Whether to record the call. PIOPIY's SDK has this key, but PIOPIY's documentation does not."),
  fileName: z
    .string("the name of an uploaded file")
    .regex(
      /^(?!https?:\/\/)[\s\S]+$/u,
      "the name of an uploaded file, not a URL, which belongs in `file_url`",
    )
    .describe(
      "The name of an mp3 or wav file that was uploaded to PIOPIY. Set either file_name or file_url.",
    ),
  fileUrl: webUrl("The http(s) URL of an mp3 or wav file. Set either file_name or file_url."),
  actionUrl: webUrl("The http(s) URL that receives the digits and returns the next PCMO document."),
  maxDigit: count("Maximum number of digits. The default is 1."),
  maxRetry: count("Maximum number of times to play the file until the caller enters a digit."),
  inputSeconds: count("Seconds to wait for a digit."),
  spokenText: text("The text to speak."),
  extraText: text("The text that later webhooks contain as extra_params."),
  streamUrl: url(
    "ws:// or wss://",
    /^wss?:\/\/[^\s\p{Cc}/?#][^\s\p{Cc}]*$/u,
    "The URL of the WebSocket that receives the audio.",
  ),
  listenMode: choice(
    ["caller", "callee", "both"],
    "Whose audio to stream: the caller's, the callee's, or both.",
  ),
  voiceQuality: choice(["8000", "16000"], "Sample rate in Hz, as a string."),
  startsOnAnswer: z
    .boolean("true or false")
    .describe("Whether to start streaming when the call is answered."),
};

/** Requires exactly one of two keys of an action. zod omits refinements from a JSON Schema, so the metadata repeats the rule. */
export function exactlyOne<Action extends z.ZodObject>(one: string, other: string, action: Action): Action {
  return action
    .refine((value) => one in value !== other in value, {
      params: { keys: [one, other] },
      // By default zod skips a refinement when the action has other errors.
      when: ({ value }) => typeof value === "object" && value !== null,
    })
    .meta({ oneOf: [{ required: [one] }, { required: [other] }] });
}

/** Returns the messages of a discriminated union: the expectation for an unknown discriminator, "an object" for other values. */
export function unionMessage(expectation: string): {
  error(issue: { code: string; input: unknown }): string;
} {
  return {
    error: ({ code, input }) =>
      code === "invalid_union" && !Array.isArray(input) ? expectation : "an object",
  };
}
