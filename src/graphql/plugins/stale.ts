import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";

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
