import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";

/** Appends the errors that resolvers report beside their data. It stands before the plugins that read the errors of a response. */
export const reportedErrorsPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue: { reportedErrors } }) {
    return {
      async willSendResponse({ response: { body } }) {
        if (reportedErrors.length === 0 || body.kind !== "single") return;
        const errors = reportedErrors.map(({ error, path }) => ({ ...error.toJSON(), path }));
        body.singleResult.errors = [...(body.singleResult.errors ?? []), ...errors];
      },
    };
  },
};
