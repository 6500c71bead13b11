import { z } from "zod";
import { isUsername, USERNAME_RULE } from "../sip/username.js";
import { exactlyOne, actionFields as fields } from "./fields.js";

/** Who rings, how and for how long. Ranges are those of PIOPIY's documents where they name any, else sensible ones. */
export interface ConnectActionSpecification {
  /** 1 to 100 targets, no user twice. */
  readonly call: readonly { readonly user: string }[];
  /** The caller id in E.164 form, with or without plus sign. */
  readonly from?: string | null;
  readonly callType: "AUDIO" | "VIDEO";
  /** SINGLE: one after another; GROUP: all at once. */
  readonly ringType: "SINGLE" | "GROUP";
  /** Seconds of ringing, 1 to 600. */
  readonly timeout: number;
  /** Seconds of talking, 1 to 86,400. */
  readonly duration: number;
  /** Tries, 1 to 10. */
  readonly loop: number;
}

/** A mistake in a specification, with the path of the value that is to be mended. */
export interface ConnectActionProblem {
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

/** What is legal and unwise in a specification, with the path of the value. */
export interface ConnectActionWarning {
  readonly code: "SIMILAR_TARGETS" | "LONG_RINGING" | "OUTSIDE_NEWER_RANGE" | "VIDEO_UNAVAILABLE";
  readonly message: string;
  readonly path: readonly string[];
}

/**
 * A PCMO document with one connect action to SIP endpoints, as this gateway writes it. `parse` refuses whatever
 * PIOPIY's documents do not show. They disagree on the name of the target list: the samples say `call`, the
 * property table and the vendor's SDK say `connect`; a document has one of the two.
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
      loop: fields.tries,
      call_type: fields.callType,
      /** All at once; without it one rings after another. */
      ring_type: z.literal("group").optional(),
      call: fields.sipTargets.optional(),
      connect: fields.sipTargets.optional(),
    }),
  ),
]);

export type ConnectDocument = z.output<typeof connectDocument>;

const MAX_TARGETS = 100;
const ranges = [
  { name: "timeout", maximum: 600, unit: "seconds of ringing" },
  { name: "duration", maximum: 86_400, unit: "seconds of talking" },
  { name: "loop", maximum: 10, unit: "tries" },
] as const;

/** Few callers wait longer, and few telephone networks let them. */
const PATIENCE_SECONDS = 120;

/** The ranges that PIOPIY's newer API enforces, in seconds. */
const newerRanges = [
  { name: "timeout", minimum: 5, maximum: 120, what: "ringing" },
  { name: "duration", minimum: 10, maximum: 7200, what: "talking" },
] as const;

/** All mistakes of a specification at once, in the order of its fields; none means that it can be written down. */
export function connectActionProblems(specification: ConnectActionSpecification): ConnectActionProblem[] {
  return [
    ...targetProblems(specification),
    ...phoneNumberProblems(specification),
    ...rangeProblems(specification),
  ];
}

/** All that is legal and unwise in a specification without problems. */
export function connectActionWarnings(specification: ConnectActionSpecification): ConnectActionWarning[] {
  return [
    ...similarTargets(specification),
    ...longRinging(specification),
    ...newerRanges.flatMap(({ name, minimum, maximum, what }): ConnectActionWarning[] => {
      const value = specification[name];
      if (value >= minimum && value <= maximum) return [];
      const message = `PIOPIY's newer API takes ${minimum} to ${maximum} seconds of ${what}; it is ${value}.`;
      return [{ code: "OUTSIDE_NEWER_RANGE", message, path: [name] }];
    }),
  ];
}

/**
 * Writes a specification without problems as the PCMO document that PIOPIY takes.
 *
 * @param targetsKey the key of the target list, on which PIOPIY's documents disagree
 * @throws when the specification has problems
 */
export function writeConnectAction(
  specification: ConnectActionSpecification,
  targetsKey: "call" | "connect",
): ConnectDocument {
  const { call, from, callType, ringType, timeout, duration, loop } = specification;
  return connectDocument.parse([
    {
      action: "connect",
      duration,
      timeout,
      ...(from != null && { from: readPhoneNumber(from) }),
      loop,
      call_type: callType.toLowerCase(),
      ...(ringType === "GROUP" && { ring_type: "group" }),
      [targetsKey]: call.map(({ user }) => ({ type: "sip", user })),
    },
  ]);
}

function targetProblems({ call }: ConnectActionSpecification): ConnectActionProblem[] {
  if (call.length === 0) {
    return [
      { code: "NO_TARGETS", message: "Name at least one SIP endpoint that is to ring.", path: ["call"] },
    ];
  }
  if (call.length > MAX_TARGETS) {
    const message = `Name at most ${MAX_TARGETS} SIP endpoints; there are ${call.length}.`;
    return [{ code: "TOO_MANY_TARGETS", message, path: ["call"] }];
  }
  const users = call.map(({ user }) => user);
  return users.flatMap((user, index): ConnectActionProblem[] => {
    const path = ["call", String(index), "user"];
    const first = users.indexOf(user);
    if (!isUsername(user)) {
      return [{ code: "INVALID_USERNAME", message: `A username ${USERNAME_RULE}.`, path }];
    }
    if (first === index) return [];
    const message = `Target ${first} has this user already. Name each user once.`;
    return [{ code: "DUPLICATE_TARGET", message, path }];
  });
}

function phoneNumberProblems({ from }: ConnectActionSpecification): ConnectActionProblem[] {
  if (from == null || readPhoneNumber(from) !== undefined) return [];
  const message =
    "A phone number must have 7 to 15 digits with the country code, such as 914471000000 or +914471000000.";
  return [{ code: "INVALID_PHONE_NUMBER", message, path: ["from"] }];
}

function rangeProblems(specification: ConnectActionSpecification): ConnectActionProblem[] {
  return ranges.flatMap(({ name, maximum, unit }) => {
    const value = specification[name];
    if (Number.isInteger(value) && value >= 1 && value <= maximum) return [];
    const message = `${name} must be 1 to ${maximum} ${unit}; it is ${value}.`;
    return [{ code: "OUT_OF_RANGE" as const, message, path: [name] }];
  });
}

/** SIP usernames differ by case here, but not at every provider. */
function similarTargets({ call }: ConnectActionSpecification): ConnectActionWarning[] {
  const users = call.map(({ user }) => user.toLowerCase());
  return users.flatMap((user, index): ConnectActionWarning[] => {
    const first = users.indexOf(user);
    if (first === index) return [];
    const message = `Target ${first} has this user in another case. Make sure that both exist.`;
    return [{ code: "SIMILAR_TARGETS", message, path: ["call", String(index), "user"] }];
  });
}

function longRinging({ call, ringType, timeout, loop }: ConnectActionSpecification): ConnectActionWarning[] {
  const seconds = timeout * loop * (ringType === "SINGLE" ? call.length : 1);
  if (seconds <= PATIENCE_SECONDS) return [];
  const message = `It may ring for ${seconds} seconds until everybody was tried; few callers wait longer than ${PATIENCE_SECONDS}.`;
  return [{ code: "LONG_RINGING", message, path: ["timeout"] }];
}

/**
 * Reads an E.164 number, with or without its plus sign: 7 to 15 digits, the first not 0. PIOPIY takes it as a
 * JSON number, which 15 digits fit exactly. Undefined for anything else.
 */
export function readPhoneNumber(text: string): number | undefined {
  return /^\+?[1-9]\d{6,14}$/.test(text) ? Number(text) : undefined;
}
