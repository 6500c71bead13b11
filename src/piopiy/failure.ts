import type { ErrorCode } from "../errors.js";
import { MAX_REPLY_BYTES, type Operation } from "./wire.js";

/** What a `GatewayError` is made of. */
export type Failure = readonly [code: ErrorCode, message: string];

/** Tells whether an operation changes something. */
export function isWrite(operation: Operation): boolean {
  return operation !== "get_sip" && operation !== "list_sip";
}

/** Nobody knows what became of a write. */
export function outcomeUnknown(operation: Operation): Failure {
  return [
    "OUTCOME_UNKNOWN",
    `PIOPIY did not tell in time what became of ${operation}. Repeating the mutation is safe; so is reading the endpoint.`,
  ];
}

/**
 * Why there is no answer.
 *
 * @param code what the network said
 * @param stopped why the gateway itself ended the attempt, if it did
 */
export function nameFailure(
  operation: Operation,
  code: string,
  stopped: "slow" | "large" | undefined,
): Failure {
  if (stopped === "slow") {
    return [
      "UPSTREAM_TIMEOUT",
      `PIOPIY did not answer ${operation} in time (PIOPIY_TIMEOUT_MS, PIOPIY_DEADLINE_MS). Try again later.`,
    ];
  }
  if (stopped === "large" || /^(HPE_|Z_)/.test(code)) {
    const what = stopped === "large" ? `more than ${MAX_REPLY_BYTES} bytes` : `what is not HTTP (${code})`;
    return ["UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with ${what}.`];
  }
  return ["UPSTREAM_UNAVAILABLE", `PIOPIY could not be reached for ${operation} (${code}). Try again later.`];
}
