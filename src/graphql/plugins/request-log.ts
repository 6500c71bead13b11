import type { ApolloServerPlugin } from "@apollo/server";
import { unwrapResolverError } from "@apollo/server/errors";
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { ErrorCode } from "../../errors.js";
import { truncate } from "../../format-value.js";
import type { Context } from "../context.js";
import { type MessageSettings, rejectedValue, replaceMessages } from "../error-messages/error-messages.js";
import { MASKED_LOG_TEXT } from "../format-error.js";

/** Identifies each operation for its log entry, logs each unexpected error, and adds the request id to errors. */
export function requestLogPlugin(settings: MessageSettings): ApolloServerPlugin<Context> {
  return {
    async unexpectedErrorProcessingRequest({ requestContext, error }) {
      requestContext.contextValue.log.error({ err: error }, MASKED_LOG_TEXT);
    },
    async requestDidStart({ contextValue }) {
      const { log, requestId } = contextValue;
      return {
        async didEncounterErrors({ errors }) {
          for (const error of errors) {
            error.extensions.code ??= codeOfLibraryError(error) ?? "INTERNAL_SERVER_ERROR";
            if (error.extensions.code === "INTERNAL_SERVER_ERROR") {
              log.error({ err: unwrapResolverError(error), path: error.path }, MASKED_LOG_TEXT);
            }
          }
        },
        async willSendResponse(requestContext) {
          const { response, operationName, operation, queryHash } = requestContext;
          Object.assign(contextValue.identity, {
            operation: operation?.operation,
            operationName: operationName ? truncate(operationName) : undefined,
            documentHash: queryHash,
          });
          if (response.body.kind !== "single") return;
          const { singleResult } = response.body;
          const errors =
            singleResult.errors && replaceMessages(singleResult.errors, requestContext, settings);
          const reported = errors && onlyLimitErrors(errors);
          if (reported) {
            singleResult.errors = reported.map((error) => ({
              ...error,
              extensions: { ...error.extensions, requestId },
            }));
          }
        },
      };
    },
  };
}

/** Returns only the errors of exceeded limits if there are any: the other errors of a document that is too large are not useful. */
function onlyLimitErrors(errors: readonly GraphQLFormattedError[]): readonly GraphQLFormattedError[] {
  const limited = errors.filter(({ extensions }) => extensions?.limit);
  return limited.length > 0 ? limited : errors;
}

/** Returns a code for an error that graphql-js reports without one. */
function codeOfLibraryError(error: GraphQLError): ErrorCode | undefined {
  // For example, a variable is null, and its argument has a default but does not allow null.
  if (rejectedValue(error)) return "BAD_USER_INPUT";
  // An error without a path and a cause does not belong to a field. It rejects the request, for example a wrong hash.
  return error.originalError || error.path ? undefined : "BAD_REQUEST";
}
