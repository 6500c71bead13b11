import type { GraphQLFormattedError } from "graphql";
import { isErrorCode, isRetryable } from "../errors.js";

const MASKED = "Something went wrong inside the gateway. Its log tells the cause under this request id.";

/**
 * Makes an error fit for callers: a known code says whether to try again, and all that nobody foresaw is masked.
 *
 * @param hints whether the message may suggest names of the schema
 */
export function formatError(error: GraphQLFormattedError, hints: boolean): GraphQLFormattedError {
  const { code, ...extensions } = error.extensions ?? {};
  if (isErrorCode(code) && code !== "INTERNAL_SERVER_ERROR") {
    const { message, ...limit } = explained(hints ? error.message : withoutHints(error.message));
    return { ...error, message, extensions: { code, retryable: isRetryable(code), ...limit, ...extensions } };
  }
  return { ...error, message: MASKED, extensions: { code: "INTERNAL_SERVER_ERROR", retryable: false } };
}

/** Says in terms of this gateway's settings what the engine says in terms of its own. */
function explained(message: string): { message: string; limit?: string; maximum?: number } {
  const maximum = Number(/Document contains more tha[nt] (\d+) tokens/.exec(message)?.[1]);
  if (maximum) {
    const refusal = `The document has more than ${maximum} tokens (MAX_TOKENS). Ask for less at once.`;
    return { message: refusal, limit: "MAX_TOKENS", maximum };
  }
  if (message.startsWith("GraphQL introspection is not allowed")) {
    return { message: "Introspection is off here (INTROSPECTION). Read the published schema instead." };
  }
  return { message: withoutValues(message) };
}

/** Apollo takes hints out of messages on a document, but not on variables. */
function withoutHints(message: string): string {
  return message.replace(/ Did you mean .*\?/s, "");
}

/** GraphQL's own messages repeat the value that they refuse, and that may be, or hold, a password. */
function withoutValues(message: string): string {
  return message
    .replace(/( cannot represent [\w -]*value): .*/s, "$1.")
    .replace(/ got invalid value .*?( at "[\w.]+")?; (?!.*; )/s, " got an invalid value$1; ")
    .replace(/(Expected value of type "[^"]+"), found .*/s, "$1.")
    .replace(/ ((?:Block)?String) ".*"/s, " $1");
}
