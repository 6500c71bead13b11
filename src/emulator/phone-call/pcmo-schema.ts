import { z } from "zod";
import { expected, fields, quote } from "./fields.js";

// PIOPIY publishes no ranges, so the emulator assumes these.
const talking = fields.wholeNumber(1, 86_400, "seconds");
const ringing = fields.wholeNumber(1, 600, "seconds");
const tries = fields.wholeNumber(1, 100, "attempts");
const ringType = fields.oneOf("single", "group");
const flag = z.boolean({ error: expected("true or false") });
const waiting = fields.wholeNumber(1, 600, "seconds");
const digits = fields.wholeNumber(1, 100, "digits");
const webUrl = fields.url("http", "https");
const sound = { file_name: fields.text().optional(), file_url: webUrl.optional() };

const dial = {
  from: fields.phoneNumber().optional(),
  duration: talking.default(5400),
  timeout: ringing.default(40),
  loop: tries.default(1),
  ring_type: ringType.default("single"),
};

const sipTargets = targets({
  type: z.literal("sip", { error: expected('"sip" (for phone numbers, use the action bridge)') }),
  user: fields.text(),
});

/** The actions that a document can contain. Keys that neither PIOPIY's documentation nor its SDK shows are rejected. */
const actionSchemas = [
  exactlyOne(
    ["call", "connect"],
    action("connect", {
      ...dial,
      call_type: fields.oneOf("audio", "video").optional(),
      record: flag.optional(),
      call: sipTargets.optional(),
      connect: sipTargets.optional(),
    }),
  ),
  action("bridge", {
    ...dial,
    connect: targets({ type: fields.oneOf("pstn"), number: fields.phoneNumber() }),
  }),
  exactlyOne(["file_name", "file_url"], action("play", sound)),
  action("speak", { text: fields.text() }),
  action("param", { text: fields.text() }),
  action("input", { action_url: webUrl, max_digit: digits.optional(), timeout: waiting.optional() }),
  exactlyOne(
    ["file_name", "file_url"],
    action("play_get_input", {
      ...sound,
      action_url: webUrl,
      max_digit: digits.optional(),
      max_retry: tries.optional(),
      timeout: waiting.optional(),
    }),
  ),
  action("record", {}),
  action("stream", {
    ws_url: fields.url("ws", "wss"),
    listen_mode: fields.oneOf("caller", "callee", "both").optional(),
    voice_quality: fields.oneOf("8000", "16000").optional(),
    stream_on_answer: flag.optional(),
  }),
  action("hangup", {}),
] as const;

const names = actionSchemas.map(({ shape }) => shape.action.value).join(", ");

/** A PCMO document: the actions of a call, in order, with PIOPIY's defaults filled in. */
export const pcmoSchema = z
  .array(
    z.discriminatedUnion("action", actionSchemas, {
      error: expected(`an object whose action is one of ${names}`),
    }),
    { error: expected("an array of actions") },
  )
  .min(1, { error: "expected at least one action, got an empty array" });

export type CallDocument = z.infer<typeof pcmoSchema>;

export type ConnectAction = Extract<CallDocument[number], { action: "connect" }>;

function action<const Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) {
  return strict(`the keys of ${name} are`, { action: z.literal(name), ...shape });
}

function targets<Shape extends z.ZodRawShape>(shape: Shape) {
  const error = expected("a list of at least one target");
  return z.array(strict("the keys of a target are", shape), { error }).min(1, { error });
}

function strict<Shape extends z.ZodRawShape>(allowed: string, shape: Shape) {
  const error = (issue: { code?: string | undefined; keys?: unknown; input?: unknown }) =>
    issue.code === "unrecognized_keys"
      ? `unknown keys ${quote(issue.keys)}; ${allowed} ${Object.keys(shape).join(", ")}`
      : expected("an object")(issue);
  return z.strictObject(shape, { error });
}

/**
 * Requires exactly one of two keys. Validates the raw input, so that this problem is reported together with the problems of
 * fields.
 */
function exactlyOne<Schema extends z.ZodObject>(keys: readonly [string, string], schema: Schema): Schema {
  const count = (value: object) => keys.filter((key) => Object.hasOwn(value, key)).length;
  return schema.refine((value) => count(value) === 1, {
    error: ({ input }) =>
      `expected either ${keys.join(" or ")}, got ${count(Object(input)) === 0 ? "neither" : "both"}`,
    when: () => true,
  });
}
