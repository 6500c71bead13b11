import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { shorten } from "../show-value.js";

/** Lets the answers of queries that succeed be given again, if their context knows nothing against it. */
export const repeatPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue }) {
    return {
      async willSendResponse({ operation, operationName, response: { body } }) {
        if (operation?.operation !== "query" || body.kind !== "single" || body.singleResult.errors) return;
        contextValue.allowRepeat(operationName ? shorten(operationName) : undefined);
      },
    };
  },
};
