import { GraphQLError } from "graphql";

/** Every code in `extensions.code`, and whether the same request may succeed later without a change. */
const retryableByCode = {
  GRAPHQL_PARSE_FAILED: false,
  GRAPHQL_VALIDATION_FAILED: false,
  OPERATION_RESOLUTION_FAILURE: false,
  PERSISTED_QUERY_NOT_FOUND: false,
  DOCUMENT_NOT_TRUSTED: false,
  BAD_REQUEST: false,
  BAD_USER_INPUT: false,
  CURSOR_EXPIRED: false,
  UNAUTHENTICATED: false,
  FORBIDDEN: false,
  RATE_LIMITED: true,
  UPSTREAM_UNAUTHENTICATED: false,
  UPSTREAM_REJECTED: false,
  UPSTREAM_TIMEOUT: true,
  UPSTREAM_UNAVAILABLE: true,
  UPSTREAM_INVALID_RESPONSE: true,
  OUTCOME_UNKNOWN: true,
  NOT_CONFIGURED: false,
  INTERNAL_SERVER_ERROR: false,
} as const;

export type ErrorCode = keyof typeof retryableByCode;

export const errorCodes = Object.keys(retryableByCode) as readonly ErrorCode[];

/** Returns whether the same request may succeed later without a change. */
export function isRetryable(code: ErrorCode): boolean {
  return retryableByCode[code];
}

/**
 * An error that clients see unchanged: its message says what happened and what to do, and contains no secret. All other errors are
 * masked as `INTERNAL_SERVER_ERROR`.
 */
export class GatewayError extends GraphQLError {
  constructor(
    readonly code: ErrorCode,
    message: string,
    extensions: Readonly<Record<string, string | number | boolean>> = {},
  ) {
    super(message, { extensions: { code, retryable: isRetryable(code), ...extensions } });
  }
}

/**
 * Returns the error of an invalid argument.
 *
 * @param problem what is allowed, and the invalid value: "must be 0 or more (got -1)"
 */
export function argumentError(argumentName: string, problem: string): GatewayError {
  return new GatewayError("BAD_USER_INPUT", `\`${argumentName}\` ${problem}.`, { argumentName });
}

/** Returns the value of the header `Retry-After` for a time in milliseconds, such as `extensions.retryAfterMs`. */
export function retryAfterSeconds(milliseconds: unknown): string {
  return String(Math.ceil(Number(milliseconds) / 1000));
}
