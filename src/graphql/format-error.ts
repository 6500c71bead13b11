import { GraphQLError, type GraphQLFormattedError } from "graphql";
import { type ErrorCode, GatewayError, isRetryable } from "../errors.js";

/** For errors of libraries, whose own messages may hold values. */
const messages: Partial<Record<ErrorCode, string>> = {
  GRAPHQL_PARSE_FAILED: "The document does not parse.",
  GRAPHQL_VALIDATION_FAILED: "This part of the document does not fit the schema.",
  OPERATION_RESOLUTION_FAILURE: "The document does not have the operation to run.",
  // The protocol of automatic persisted queries prescribes this text.
  PERSISTED_QUERY_NOT_FOUND: "PersistedQueryNotFound",
  BAD_REQUEST: "This is not a GraphQL request that the gateway can run.",
  BAD_USER_INPUT: "A value does not fit its type.",
};

const MASKED = "Something went wrong inside the gateway. Its log tells the cause under this request id.";

/**
 * Formats an error for clients. The gateway's own errors pass; an error of a library keeps its code and its place, and
 * gets a message by its code; unexpected errors are masked.
 */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const own = gatewayErrorIn(error);
  if (own && own.code !== "INTERNAL_SERVER_ERROR") {
    return { ...formatted, message: own.message, extensions: own.extensions };
  }
  const code = formatted.extensions?.code as ErrorCode;
  const message = Object.hasOwn(messages, String(code)) ? messages[code] : undefined;
  return message
    ? { ...formatted, message, extensions: { code, retryable: isRetryable(code) } }
    : { ...formatted, message: MASKED, extensions: { code: "INTERNAL_SERVER_ERROR", retryable: false } };
}

/** Returns the gateway's own error, which libraries may have wrapped. */
export function gatewayErrorIn(error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error;
  return error instanceof GraphQLError && error.originalError
    ? gatewayErrorIn(error.originalError)
    : undefined;
}
