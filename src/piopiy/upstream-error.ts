import { type ErrorCode, GatewayError } from "../errors.js";
import type { Operation } from "./protocol.js";

/**
 * What a failure says about PIOPIY.
 *
 * - `outage`: PIOPIY did not respond in time, or something in front of it responded with a bare HTTP 5xx.
 * - `response`: PIOPIY responded in time, with an error.
 * - `mismatch`: the response is well-formed and does not fit its request. The same request would bring it again.
 * - `local`: nothing. The request was not sent, or was aborted before PIOPIY had a fair time to respond.
 */
type FailureKind = "outage" | "response" | "mismatch" | "local";

/** The failure of an upstream request, as clients see it. */
export class UpstreamError extends GatewayError {
  constructor(
    readonly kind: FailureKind,
    code: ErrorCode,
    message: string,
    extensions: Readonly<Record<string, string | number>> = {},
  ) {
    super(code, message, extensions);
  }
}

/** Returns the error of a request that is not sent, or no longer waited for, because its operation has no time left. */
export function tooLate(): UpstreamError {
  return new UpstreamError(
    "local",
    "UPSTREAM_TIMEOUT",
    "The time of this operation was spent before PIOPIY could be asked (PIOPIY_DEADLINE_MS). Try again later.",
  );
}

/** Returns the error of a write that may have taken effect. */
export function outcomeUnknown(operation: Operation, kind: FailureKind): UpstreamError {
  return new UpstreamError(
    kind,
    "OUTCOME_UNKNOWN",
    `PIOPIY did not tell in time what became of ${operation}. Repeating the mutation is safe; so is reading the endpoint.`,
  );
}

/**
 * Returns the error of a request that brought no response.
 *
 * @param code the error code of the network
 * @param isTimeout whether the gateway itself ended the attempt
 */
export function noResponse(
  operation: Operation,
  code: string,
  isTimeout: boolean,
  kind: FailureKind,
): UpstreamError {
  if (isTimeout) {
    return new UpstreamError(
      kind,
      "UPSTREAM_TIMEOUT",
      `PIOPIY did not answer ${operation} in time (PIOPIY_TIMEOUT_MS, PIOPIY_DEADLINE_MS). Try again later.`,
    );
  }
  if (code.startsWith("HPE_")) {
    return new UpstreamError(
      kind,
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY answered ${operation} with what is not HTTP (${code}).`,
    );
  }
  return new UpstreamError(
    kind,
    "UPSTREAM_UNAVAILABLE",
    `PIOPIY could not be reached for ${operation} (${code}). Try again later.`,
  );
}
