import type { ApolloServerPlugin } from "@apollo/server";
import { unwrapResolverError } from "@apollo/server/errors";
import type { Context } from "../context.js";

/** Ties answers and log together: errors carry the request id, and what callers do not learn is logged under it. */
export const reportPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue: { log, requestId } }) {
    const begun = performance.now();
    return {
      async didEncounterErrors({ errors }) {
        for (const error of errors) {
          // What GraphQL itself refuses about no field in particular, such as a subscription, is a wrong request.
          if (!error.originalError && !error.path) error.extensions.code ??= "BAD_REQUEST";
          const code = error.extensions.code ?? "INTERNAL_SERVER_ERROR";
          if (code === "INTERNAL_SERVER_ERROR")
            log.error({ err: unwrapResolverError(error), path: error.path }, "masked");
        }
      },
      async willSendResponse({ response, operationName, operation }) {
        if (response.body.kind !== "single") return;
        const { errors } = response.body.singleResult;
        if (errors) {
          response.body.singleResult.errors = errors.map((error) => ({
            ...error,
            extensions: { ...error.extensions, requestId },
          }));
        }
        const ms = Math.round(performance.now() - begun);
        const codes = errors?.map((error) => error.extensions?.code);
        log.info({ operation: operation?.operation, operationName, ms, codes }, "answered");
      },
    };
  },
};
