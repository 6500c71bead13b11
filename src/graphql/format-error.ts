import type { GraphQLFormattedError } from "graphql";
import { isErrorCode, isRetryable } from "../errors.js";

const MASKED = "Something went wrong inside the gateway. Its log tells the cause under this request id.";

/** Makes an error fit for callers: a known code says whether to try again, and all that nobody foresaw is masked. */
export function formatError(error: GraphQLFormattedError): GraphQLFormattedError {
  const { code, ...extensions } = error.extensions ?? {};
  if (isErrorCode(code) && code !== "INTERNAL_SERVER_ERROR") {
    const message = withoutValues(error.message);
    return { ...error, message, extensions: { code, retryable: isRetryable(code), ...extensions } };
  }
  return { ...error, message: MASKED, extensions: { code: "INTERNAL_SERVER_ERROR", retryable: false } };
}

/** GraphQL's own messages repeat the value that they refuse, and that may be, or hold, a password. */
function withoutValues(message: string): string {
  return message
    .replace(/( cannot represent [\w -]*value): .*/s, "$1.")
    .replace(/ got invalid value .*?( at "[\w.]+")?; (?!.*; )/s, " got an invalid value$1; ")
    .replace(/(Expected value of type "[^"]+"), found .*/s, "$1.")
    .replace(/ ((?:Block)?String) ".*"/s, " $1");
}
