import { GraphQLError, type GraphQLFormattedError } from "graphql";
import { type ErrorCode, GatewayError, isRetryable } from "../errors.js";

/** Messages for errors of libraries, whose own messages may contain values. */
const messages: Partial<Record<ErrorCode, string>> = {
  GRAPHQL_PARSE_FAILED: "The document has a syntax error.",
  GRAPHQL_VALIDATION_FAILED: "This part of the document does not match the schema.",
  OPERATION_RESOLUTION_FAILURE: "The document does not contain the requested operation.",
  // The protocol of automatic persisted queries requires this text.
  PERSISTED_QUERY_NOT_FOUND: "PersistedQueryNotFound",
  BAD_REQUEST: "This is not a valid GraphQL request.",
  BAD_USER_INPUT: "A value does not match its type.",
};

/** The message of an unexpected error in a response. */
export const MASKED_MESSAGE =
  "An unexpected error occurred in the gateway. The log of the gateway shows the cause under this request id.";
/** The text of the log entry with the cause. */
export const MASKED_LOG_TEXT = "unexpected error, masked in the response";

/**
 * Formats an error for clients. An error of the gateway stays unchanged. An error of a library keeps its code and its location, and
 * gets a message by its code. The message of an unexpected error is masked.
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
    : {
        ...formatted,
        message: MASKED_MESSAGE,
        extensions: { code: "INTERNAL_SERVER_ERROR", retryable: false },
      };
}

/** Returns the gateway's own error, which libraries may have wrapped. */
export function gatewayErrorIn(error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error;
  return error instanceof GraphQLError && error.originalError
    ? gatewayErrorIn(error.originalError)
    : undefined;
}
