import { z } from "zod";
import { USERNAME_PATTERN } from "../sip/username.js";

/*
 * The values that PCMO actions are made of. The message of each check is what the value must be, so that it reads on from
 * "timeout must be"; the description is for the published JSON Schema.
 */

function wholeNumber(maximum: number, meaning: string) {
  return numberUpTo(maximum, `a whole number from 1 to ${maximum}`, meaning);
}

/** A number for which PIOPIY documents no limit, and this gateway has no use for one. */
function count(meaning: string) {
  return numberUpTo(Number.MAX_SAFE_INTEGER, "a whole number, at least 1", meaning);
}

function numberUpTo(maximum: number, expectation: string, meaning: string) {
  return z.int(expectation).min(1, expectation).max(maximum, expectation).describe(meaning);
}

function text(meaning: string) {
  const expectation = "text that is not empty";
  return z.string(expectation).min(1, expectation).describe(meaning);
}

function url(schemes: string, pattern: RegExp, meaning: string) {
  const expectation = `a URL that begins with ${schemes} and has no spaces`;
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

const username = "a username that is not empty and has no control characters";
const sipTarget = z.strictObject({
  type: z.literal("sip"),
  user: z.string(username).regex(USERNAME_PATTERN, username).describe("The username of the SIP endpoint."),
});
const phoneTarget = z.strictObject({ type: z.literal("pstn"), number: phoneNumber });

function targets<Target extends typeof sipTarget | typeof phoneTarget>(target: Target, meaning: string) {
  const expectation = "a list of 1 to 100 targets";
  // A union of one: a target of another type is one mistake, not one for each of its keys.
  const union = z.discriminatedUnion("type", [target], unionMessage(`"${[...target.shape.type.values]}"`));
  return z.array(union, expectation).min(1, expectation).max(100, expectation).describe(meaning);
}

/** No user twice. Targets with the same user are equal, which is what JSON Schema can say. */
const sipTargets = targets(sipTarget, "The SIP endpoints that ring: 1 to 100, no user twice.")
  .superRefine(
    (list, { addIssue }) => {
      const places = new Map<unknown, number>();
      for (const [index, target] of list.entries()) {
        const user: unknown = Object(target).user;
        const first = places.get(user);
        if (first === undefined) places.set(user, index);
        else if (typeof user === "string") {
          addIssue({ code: "custom", path: [index, "user"], params: { first } });
        }
      }
    },
    // Otherwise it would be silent beside other mistakes of the targets.
    { when: ({ value }) => Array.isArray(value) },
  )
  .meta({ uniqueItems: true });

/** The values that the actions of a PCMO document are made of. */
export const actionFields = {
  talkSeconds: wholeNumber(
    86_400,
    "How many seconds the talk may last; a connect takes 5400 when it is left out.",
  ),
  ringSeconds: wholeNumber(600, "How many seconds a target rings; a connect takes 40 when it is left out."),
  tries: wholeNumber(10, "How many times the targets are tried; a connect takes 1 when it is left out."),
  callerId: phoneNumber.describe("The caller id that the targets see: 7 to 15 digits with the country code."),
  callType: choice(["audio", "video"], "What the call carries."),
  ringType: choice(["single", "group"], "One after another (single, the default), or all at once (group)."),
  sipTargets,
  phoneTargets: targets(phoneTarget, "The phones that ring: 1 to 100."),
  isRecorded: z
    .boolean("true or false")
    .describe("Whether the call is recorded; only PIOPIY's library knows it."),
  fileName: z
    .string("the name of an uploaded file")
    .regex(/^(?!https?:\/\/)[\s\S]+$/u, "the name of an uploaded file; a URL goes into file_url")
    .describe("The name of an mp3 or wav file that was uploaded to PIOPIY; either this or file_url."),
  fileUrl: webUrl("The http(s) URL of an mp3 or wav file; either this or file_name."),
  actionUrl: webUrl("The http(s) URL that gets the digits and answers with the next PCMO document."),
  maxDigit: count("How many digits are taken; PIOPIY takes 1 when it is left out."),
  maxRetry: count("How often the prompt is played when no digit comes."),
  inputSeconds: count("How many seconds to wait for a digit."),
  spokenText: text("What is spoken."),
  extraText: text("What later webhooks get as extra_params."),
  streamUrl: url(
    "ws:// or wss://",
    /^wss?:\/\/[^\s\p{Cc}/?#][^\s\p{Cc}]*$/u,
    "The WebSocket that gets the voice.",
  ),
  listenMode: choice(["caller", "callee", "both"], "Whose voice is streamed."),
  voiceQuality: choice(["8000", "16000"], "Samples a second, as text."),
  startsOnAnswer: z.boolean("true or false").describe("Whether streaming waits for the answer."),
};

/**
 * Of two keys an action has exactly one. The rule stands twice here, and nowhere else: a refinement is silent in the JSON Schema.
 */
export function exactlyOne<Action extends z.ZodObject>(one: string, other: string, action: Action): Action {
  return action
    .refine((value) => one in value !== other in value, {
      params: { keys: [one, other] },
      // Otherwise it would be silent beside other mistakes of the action.
      when: ({ value }) => typeof value === "object" && value !== null,
    })
    .meta({ oneOf: [{ required: [one] }, { required: [other] }] });
}

/** Returns the message of a discriminated union: what the discriminator must be, or that an object is expected. */
export function unionMessage(expectation: string): {
  error(issue: { code: string; input: unknown }): string;
} {
  return {
    error: ({ code, input }) =>
      code === "invalid_union" && !Array.isArray(input) ? expectation : "an object",
  };
}
