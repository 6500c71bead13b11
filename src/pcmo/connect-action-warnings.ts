import type { ConnectActionSpecification } from "./connect-action.js";

/** What is legal and unwise in a specification, with the path of the value. */
export interface ConnectActionWarning {
  readonly code: "SIMILAR_TARGETS" | "LONG_RINGING" | "OUTSIDE_NEWER_RANGE" | "VIDEO_UNAVAILABLE";
  readonly message: string;
  readonly path: readonly string[];
}

/** Few callers wait longer, and few telephone networks let them. */
const PATIENCE_SECONDS = 120;

/** The ranges that PIOPIY's newer API enforces, in seconds. */
const newerRanges = [
  { name: "timeout", minimum: 5, maximum: 120, what: "ringing" },
  { name: "duration", minimum: 10, maximum: 7200, what: "talking" },
] as const;

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
