import type { ErrorCode } from "../errors.js";
import type { Operation } from "./protocol.js";

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
 * @param isSlow whether the gateway itself ended the attempt, since it took too long
 */
export function nameFailure(operation: Operation, code: string, isSlow: boolean): Failure {
  if (isSlow) {
    return [
      "UPSTREAM_TIMEOUT",
      `PIOPIY did not answer ${operation} in time (PIOPIY_TIMEOUT_MS, PIOPIY_DEADLINE_MS). Try again later.`,
    ];
  }
  if (code.startsWith("HPE_")) {
    return ["UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with what is not HTTP (${code}).`];
  }
  return ["UPSTREAM_UNAVAILABLE", `PIOPIY could not be reached for ${operation} (${code}). Try again later.`];
}
