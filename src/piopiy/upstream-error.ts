import { proxyCauseOf } from "../egress-proxy.js";
import { type ErrorCode, GatewayError } from "../errors.js";
import type { Operation } from "./protocol.js";

/**
 * The kind of a failure, by its meaning for the state of PIOPIY.
 *
 * - `outage`: PIOPIY did not respond in time, or a proxy in front of it responded with a bare HTTP 5xx.
 * - `response`: PIOPIY responded in time, with an error.
 * - `mismatch`: The response is well-formed but does not match its request. The same request would have the same response.
 * - `local`: The failure has no meaning for PIOPIY. The request was not sent, or was aborted before PIOPIY had enough time to
 *   respond.
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

/** Returns the error of a request that is not sent because the deadline of its operation has passed or is too close. */
export function tooLate(): UpstreamError {
  return new UpstreamError(
    "local",
    "UPSTREAM_TIMEOUT",
    "The deadline of this operation (PIOPIY_DEADLINE_MS) left no time for a request to PIOPIY. Try again later.",
  );
}

/** Returns the error of a write that may have taken effect. */
export function outcomeUnknown(operation: Operation, kind: FailureKind): UpstreamError {
  return new UpstreamError(
    kind,
    "OUTCOME_UNKNOWN",
    `It is unknown whether ${operation} took effect: PIOPIY did not confirm it in time. It is safe to repeat the mutation or to read the endpoint.`,
  );
}

/**
 * Returns the error of a request without a response.
 *
 * @param code the network error code
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
      `PIOPIY did not respond to ${operation} in time (PIOPIY_TIMEOUT_MS, PIOPIY_DEADLINE_MS). Try again later.`,
    );
  }
  if (code.startsWith("HPE_")) {
    return new UpstreamError(
      kind,
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY responded to ${operation} with invalid HTTP (${code}).`,
    );
  }
  const proxyCause = proxyCauseOf(code);
  const cause = proxyCause ? `the gateway's egress proxy failed: ${proxyCause}` : code;
  return new UpstreamError(
    kind,
    "UPSTREAM_UNAVAILABLE",
    `PIOPIY could not be reached for ${operation} (${cause}). Try again later.`,
  );
}
