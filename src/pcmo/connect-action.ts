import { z } from "zod";
import { isUsername, USERNAME_RULE } from "../sip/username.js";
import { exactlyOne, actionFields as fields } from "./fields.js";
import { sipUriAdvice } from "./sip-uri-advice.js";

/** The targets of a connect action, and how to ring them. PIOPIY's documentation states no ranges, so the gateway defines them. */
export interface ConnectActionSpecification {
  /** 1 to 100 targets, no user twice. */
  readonly call: readonly { readonly user: string }[];
  /** The caller id in E.164 form, with or without a plus sign. */
  readonly from?: string | null;
  readonly callType: "AUDIO" | "VIDEO";
  /** SINGLE: one after another; GROUP: all at the same time. */
  readonly ringType: "SINGLE" | "GROUP";
  /** Seconds to ring each target, 1 to 600. */
  readonly timeout: number;
  /** Maximum length of the conversation in seconds, 1 to 86,400. */
  readonly duration: number;
  /** How many times to ring the targets, 1 to 10. */
  readonly loop: number;
}

/** An error in a specification, with the path of the invalid value. */
export interface SpecificationProblem {
  readonly code:
    | "NO_TARGETS"
    | "TOO_MANY_TARGETS"
    | "INVALID_USERNAME"
    | "DUPLICATE_TARGET"
    | "INVALID_PHONE_NUMBER"
    | "OUT_OF_RANGE";
  readonly message: string;
  readonly path: readonly string[];
}

/** A valid but discouraged value in a specification, with its path. */
export interface SpecificationWarning {
  readonly code:
    | "SIP_URI_AS_USERNAME"
    | "SIMILAR_TARGETS"
    | "LONG_RINGING"
    | "OUTSIDE_NEWER_RANGE"
    | "VIDEO_UNAVAILABLE";
  readonly message: string;
  readonly path: readonly string[];
}

/**
 * Validates a PCMO document with one connect action to SIP endpoints, as this gateway writes it. Rejects keys and values that
 * PIOPIY's documentation does not show. For the list of targets, the samples in the documentation have the key `call`. The table
 * of properties and PIOPIY's SDK have the key `connect`. A connect action must have exactly one of these keys.
 */
export const connectDocument = z.tuple([
  exactlyOne(
    "call",
    "connect",
    z.strictObject({
      action: z.literal("connect"),
      duration: fields.talkSeconds,
      timeout: fields.ringSeconds,
      from: fields.callerId.optional(),
      loop: fields.attempts,
      call_type: fields.callType,
      /** If set, the targets ring at the same time. If omitted, they ring one after another. */
      ring_type: z.literal("group").optional(),
      call: fields.sipTargets.optional(),
      connect: fields.sipTargets.optional(),
    }),
  ),
]);

export type ConnectDocument = z.output<typeof connectDocument>;

const MAX_TARGETS = 100;
const ranges = [
  { name: "timeout", maximum: 600, unit: "seconds" },
  { name: "duration", maximum: 86_400, unit: "seconds" },
  { name: "loop", maximum: 10, unit: "attempts" },
] as const;

/** Few callers wait longer than this, and few telephone networks let a call ring longer. */
const MAX_WAIT_SECONDS = 120;

/** The ranges of PIOPIY's newer API, in seconds. PIOPIY's documentation of the API that the gateway uses has no ranges. */
const newerApiRanges = [
  { name: "timeout", minimum: 5, maximum: 120 },
  { name: "duration", minimum: 10, maximum: 7200 },
] as const;

/** Returns all errors of a specification, in the order of its fields. `buildConnectAction` requires that there are none. */
export function connectActionProblems(specification: ConnectActionSpecification): SpecificationProblem[] {
  return [
    ...targetProblems(specification),
    ...phoneNumberProblems(specification),
    ...rangeProblems(specification),
  ];
}

/** Returns the warnings about values that are valid but discouraged. The specification must have no errors. */
export function connectActionWarnings(specification: ConnectActionSpecification): SpecificationWarning[] {
  return [
    ...sipUriTargets(specification),
    ...similarTargets(specification),
    ...longRinging(specification),
    ...newerApiRanges.flatMap(({ name, minimum, maximum }): SpecificationWarning[] => {
      const value = specification[name];
      if (value >= minimum && value <= maximum) return [];
      const message = `PIOPIY may reject this \`${name}\`: PIOPIY's newer API accepts only ${minimum} to ${maximum} seconds (got ${value}).`;
      return [{ code: "OUTSIDE_NEWER_RANGE", message, path: [name] }];
    }),
  ];
}

/**
 * Builds the PCMO document of a specification. The specification must have no problems.
 *
 * @param targetsKey the key of the target list, since PIOPIY's documentation shows both keys
 * @throws when the specification has problems
 */
export function buildConnectAction(
  specification: ConnectActionSpecification,
  targetsKey: "call" | "connect",
): ConnectDocument {
  const { call, from, callType, ringType, timeout, duration, loop } = specification;
  return connectDocument.parse([
    {
      action: "connect",
      duration,
      timeout,
      ...(from != null && { from: parsePhoneNumber(from) }),
      loop,
      call_type: callType.toLowerCase(),
      ...(ringType === "GROUP" && { ring_type: "group" }),
      [targetsKey]: call.map(({ user }) => ({ type: "sip", user })),
    },
  ]);
}

function targetProblems({ call }: ConnectActionSpecification): SpecificationProblem[] {
  if (call.length === 0) {
    const message = `\`call\` must contain 1 to ${MAX_TARGETS} SIP endpoints (got 0).`;
    return [{ code: "NO_TARGETS", message, path: ["call"] }];
  }
  if (call.length > MAX_TARGETS) {
    const message = `\`call\` must contain 1 to ${MAX_TARGETS} SIP endpoints (got ${call.length}).`;
    return [{ code: "TOO_MANY_TARGETS", message, path: ["call"] }];
  }
  const users = call.map(({ user }) => user);
  return users.flatMap((user, index): SpecificationProblem[] => {
    const path = ["call", String(index), "user"];
    const first = users.indexOf(user);
    if (!isUsername(user)) {
      return [{ code: "INVALID_USERNAME", message: `A username ${USERNAME_RULE}.`, path }];
    }
    if (first === index) return [];
    const message = `The target at index ${first} already has this user. List each user only once.`;
    return [{ code: "DUPLICATE_TARGET", message, path }];
  });
}

function phoneNumberProblems({ from }: ConnectActionSpecification): SpecificationProblem[] {
  if (from == null || parsePhoneNumber(from) !== undefined) return [];
  const message =
    "`from` must be a phone number of 7 to 15 digits with the country code, such as 914471000000 or +914471000000.";
  return [{ code: "INVALID_PHONE_NUMBER", message, path: ["from"] }];
}

function rangeProblems(specification: ConnectActionSpecification): SpecificationProblem[] {
  return ranges.flatMap(({ name, maximum, unit }) => {
    const value = specification[name];
    if (Number.isInteger(value) && value >= 1 && value <= maximum) return [];
    const message = `\`${name}\` must be between 1 and ${maximum} ${unit} (got ${value}).`;
    return [{ code: "OUT_OF_RANGE" as const, message, path: [name] }];
  });
}

/** Warns about targets that look like a SIP URI, which no endpoint that the gateway creates can have as its username. */
function sipUriTargets({ call }: ConnectActionSpecification): SpecificationWarning[] {
  return call.flatMap(({ user }, index): SpecificationWarning[] => {
    const message = sipUriAdvice(user);
    return message ? [{ code: "SIP_URI_AS_USERNAME", message, path: ["call", String(index), "user"] }] : [];
  });
}

/**
 * Warns about usernames that differ only in letter case. The gateway distinguishes such usernames, but not every SIP system does.
 */
function similarTargets({ call }: ConnectActionSpecification): SpecificationWarning[] {
  const users = call.map(({ user }) => user.toLowerCase());
  return users.flatMap((user, index): SpecificationWarning[] => {
    const first = users.indexOf(user);
    if (first === index) return [];
    const message = `This user and the user of the target at index ${first} differ only in letter case. Check that both users exist.`;
    return [{ code: "SIMILAR_TARGETS", message, path: ["call", String(index), "user"] }];
  });
}

function longRinging({ call, ringType, timeout, loop }: ConnectActionSpecification): SpecificationWarning[] {
  const seconds = timeout * loop * (ringType === "SINGLE" ? call.length : 1);
  if (seconds <= MAX_WAIT_SECONDS) return [];
  const message = `Ringing all targets can take ${seconds} seconds, and few callers wait longer than ${MAX_WAIT_SECONDS} seconds. Lower \`timeout\` or \`loop\`, or remove targets.`;
  return [{ code: "LONG_RINGING", message, path: ["timeout"] }];
}

/**
 * Parses an E.164 number with or without a plus sign: 7 to 15 digits, of which the first is not 0. Returns a number, because PIOPIY
 * expects a JSON number. A JSON number can hold up to 15 digits without rounding. Returns undefined for any other text.
 */
export function parsePhoneNumber(text: string): number | undefined {
  return /^\+?[1-9]\d{6,14}$/.test(text) ? Number(text) : undefined;
}
