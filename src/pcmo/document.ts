import { z } from "zod";
import { exactlyOne, actionFields as fields, phoneTarget, sipTarget, unionMessage } from "./fields.js";

/**
 * The actions of a legacy PCMO (PIOPIY call management object) document. The keys of an action are in the order in which the
 * gateway writes them. The action `clear` is omitted: one page of PIOPIY's documentation names it, but no sample contains it and
 * PIOPIY's SDK never sends it.
 */
const actions = [
  exactlyOne(
    "file_name",
    "file_url",
    z.strictObject({
      action: z.literal("play"),
      file_name: fields.fileName.optional(),
      file_url: fields.fileUrl.optional(),
    }),
  ).describe("Plays a file."),
  z.strictObject({ action: z.literal("speak"), text: fields.spokenText }).describe("Speaks a text."),
  z
    .strictObject({ action: z.literal("param"), text: fields.extraText })
    .describe("Sends a text as extra_params in later webhooks."),
  z
    .strictObject({
      action: z.literal("input"),
      action_url: fields.actionUrl,
      max_digit: fields.maxDigit.optional(),
      timeout: fields.inputSeconds.optional(),
    })
    .describe("Waits for digits and posts them to a URL."),
  exactlyOne(
    "file_name",
    "file_url",
    z.strictObject({
      action: z.literal("play_get_input"),
      file_name: fields.fileName.optional(),
      file_url: fields.fileUrl.optional(),
      action_url: fields.actionUrl,
      max_digit: fields.maxDigit.optional(),
      max_retry: fields.maxRetry.optional(),
      timeout: fields.inputSeconds.optional(),
    }),
  ).describe("Plays a file, waits for digits, and posts them to a URL."),
  z
    .strictObject({
      action: z.literal("bridge"),
      from: fields.callerId.optional(),
      duration: fields.talkSeconds.optional(),
      timeout: fields.ringSeconds.optional(),
      loop: fields.attempts.optional(),
      ring_type: fields.ringType.optional(),
      connect: fields.phoneTargets,
    })
    .describe("Rings phones."),
  exactlyOne(
    "call",
    "connect",
    z.strictObject({
      action: z.literal("connect"),
      duration: fields.talkSeconds.optional(),
      timeout: fields.ringSeconds.optional(),
      from: fields.callerId.optional(),
      loop: fields.attempts.optional(),
      call_type: fields.callType.optional(),
      ring_type: fields.ringType.optional(),
      record: fields.isRecorded.optional(),
      call: fields.sipTargets.optional(),
      connect: fields.sipTargets.optional(),
    }),
  ).describe("Rings SIP endpoints."),
  z.strictObject({ action: z.literal("record") }).describe("Records the call."),
  z
    .strictObject({
      action: z.literal("stream"),
      ws_url: fields.streamUrl,
      listen_mode: fields.listenMode.optional(),
      voice_quality: fields.voiceQuality.optional(),
      stream_on_answer: fields.startsOnAnswer.optional(),
    })
    .describe("Streams the audio to a WebSocket."),
  z.strictObject({ action: z.literal("hangup") }).describe("Hangs up."),
] as const;

/** The keys of each action. */
export const keysOfActions: ReadonlyMap<string, readonly string[]> = new Map(
  actions.map(({ shape }) => [[...shape.action.values].join(), Object.keys(shape)]),
);

/** The keys that at least one action has. */
export const keysOfAnyAction: ReadonlySet<string> = new Set([...keysOfActions.values()].flat());

/** The keys of a target, by the action that rings it. */
export const keysOfTargets: ReadonlyMap<string, readonly string[]> = new Map([
  ["connect", Object.keys(sipTarget.shape)],
  ["bridge", Object.keys(phoneTarget.shape)],
]);

/** The types of the targets of all actions. */
export const targetTypes: ReadonlySet<unknown> = new Set([
  ...sipTarget.shape.type.values,
  ...phoneTarget.shape.type.values,
]);

/** One action of a PCMO document. */
export const pcmoAction = z.discriminatedUnion(
  "action",
  actions,
  unionMessage(`one of ${[...keysOfActions.keys()].join(", ")}`),
);

/** A legacy PCMO document, which is the response of an answer URL. */
export const pcmoDocument = z.array(pcmoAction, "a list of actions").min(1, "a list of at least one action");

export type PcmoAction = z.output<typeof pcmoAction>;

/** Returns the JSON Schema of PCMO documents, for editors and tools. The schema accepts exactly the documents without errors. */
export function pcmoJsonSchema(): object {
  const { $schema, ...rules } = z.toJSONSchema(pcmoDocument, { target: "draft-2020-12", io: "input" });
  return {
    $schema,
    title: "PCMO",
    description:
      "A PCMO (PIOPIY call management object) document: the actions that PIOPIY executes in order. This schema accepts a document " +
      "if validatePcmo of the PIOPIY GraphQL Gateway finds no error in it. It does not check for the warnings of validatePcmo.",
    ...rules,
  };
}
