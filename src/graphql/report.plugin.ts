import type { ApolloServerPlugin } from "@apollo/server";
import { unwrapResolverError } from "@apollo/server/errors";
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { Context } from "../context.js";
import type { ErrorCode } from "../errors.js";

/** Ties answers and log together: errors carry the request id, and what callers do not learn is logged under it. */
export const reportPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue: { caller, log, requestId } }) {
    const begun = performance.now();
    return {
      async didEncounterErrors({ errors }) {
        for (const error of errors) {
          error.extensions.code ??= refusalCode(error) ?? "INTERNAL_SERVER_ERROR";
          if (error.extensions.code === "INTERNAL_SERVER_ERROR") {
            log.error({ err: unwrapResolverError(error), path: error.path }, "masked");
          }
        }
      },
      async willSendResponse({ response, operationName, operation }) {
        if (response.body.kind !== "single") return;
        const errors = relevant(response.body.singleResult.errors);
        if (errors) {
          response.body.singleResult.errors = errors.map((error) => ({
            ...error,
            extensions: { ...error.extensions, requestId },
          }));
        }
        const ms = Math.round(performance.now() - begun);
        const codes = errors?.map((error) => error.extensions?.code);
        log.info({ who: caller.name, operation: operation?.operation, operationName, ms, codes }, "answered");
      },
    };
  },
};

/** A document that is too large is not told its other mistakes. */
function relevant(errors: readonly GraphQLFormattedError[] | undefined) {
  const limited = errors?.filter(({ extensions }) => extensions?.limit);
  return limited?.length ? limited : errors;
}

/** The code of what GraphQL's own engine refuses: it gives none. */
function refusalCode({ originalError, path }: GraphQLError): ErrorCode | undefined {
  // A value of an argument, such as null from a variable where the argument has a default.
  if (originalError instanceof GraphQLError && originalError.nodes) return "BAD_USER_INPUT";
  // No field in particular, such as a subscription.
  return originalError || path ? undefined : "BAD_REQUEST";
}
