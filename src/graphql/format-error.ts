import type { GraphQLFormattedError } from "graphql";
import { isErrorCode, isRetryable } from "../errors.js";

const MASKED = "Something went wrong inside the gateway. Its log tells the cause under this request id.";

/** Makes an error fit for callers: a known code says whether to try again, and all that nobody foresaw is masked. */
export function formatError(error: GraphQLFormattedError): GraphQLFormattedError {
  const { code, ...extensions } = error.extensions ?? {};
  if (isErrorCode(code) && code !== "INTERNAL_SERVER_ERROR") {
    return { ...error, extensions: { code, retryable: isRetryable(code), ...extensions } };
  }
  return { ...error, message: MASKED, extensions: { code: "INTERNAL_SERVER_ERROR", retryable: false } };
}
