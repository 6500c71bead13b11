import type { ApolloServerPlugin } from "@apollo/server";
import { shorten } from "../../show-value.js";
import type { Context } from "../context.js";

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

/**
 * Marks answers that hold what is older than it should be, because PIOPIY is out of order: their `extensions.stale.ageMs`
 * tells how many milliseconds ago PIOPIY told the oldest part of them.
 */
export const stalePlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue }) {
    return {
      async willSendResponse({ response: { body } }) {
        const { staleSince } = contextValue.piopiy;
        if (staleSince === undefined || body.kind !== "single") return;
        const stale = { ageMs: Math.round(performance.now() - staleSince) };
        body.singleResult.extensions = { ...body.singleResult.extensions, stale };
      },
    };
  },
};
