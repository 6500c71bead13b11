import type { ConnectActionSpecification } from "./connect-action.js";
import { readPhoneNumber } from "./phone-number.js";

const MAX_NAMES = 5;

/** A specification without problems in one plain sentence. */
export function connectActionSummary(specification: ConnectActionSpecification): string {
  const { call, from, callType, ringType, timeout, duration, loop } = specification;
  const users = call.map(({ user }) => user);
  const together = users.length > 1 && (ringType === "GROUP" ? " all at once" : " one after another");
  const each = users.length > 1 && ringType === "SINGLE" ? " each" : "";
  const tries = loop === 1 ? "" : `, up to ${loop} times`;
  const caller = from == null ? "" : `, with ${readPhoneNumber(from)} as the caller`;
  const what = callType === "VIDEO" ? "video call" : "call";
  return (
    `Rings ${enumerate(users)}${together || ""} for ${time(timeout)}${each}${tries}${caller}; ` +
    `whoever answers has a ${what} of at most ${time(duration)}.`
  );
}

function enumerate(names: readonly string[]): string {
  const shown = names.length > MAX_NAMES ? names.slice(0, MAX_NAMES - 1) : names;
  const rest = names.length - shown.length;
  const parts = rest > 0 ? [...shown, `${rest} more`] : [...shown];
  const last = parts.pop() ?? "";
  return parts.length > 0 ? `${parts.join(", ")} and ${last}` : last;
}

/** Seconds in the largest units that fit evenly. */
function time(seconds: number): string {
  const [size, unit] =
    seconds % 3600 === 0 ? [3600, "hour"] : seconds % 60 === 0 ? [60, "minute"] : [1, "second"];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
