import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";

/**
 * Marks stale responses, and selects the responses that http/response-cache.ts stores. If PIOPIY is down and a part of a response
 * is older than CACHE_TTL_MS, `extensions.stale.ageMs` is the age of the oldest part in milliseconds. A response is stored only
 * if it is the response of a successful query, and all its data came from the read cache: responses that are requested only once
 * are not stored.
 */
export const responseCachePlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue }) {
    return {
      async willSendResponse({ operation, response: { body } }) {
        if (body.kind !== "single") return;
        const { piopiy, storage, cost, identity } = contextValue;
        const { staleSince, cachedSince: readAt } = piopiy;
        if (staleSince !== undefined) {
          const stale = { ageMs: Math.round(performance.now() - staleSince) };
          body.singleResult.extensions = { ...body.singleResult.extensions, stale };
        }
        if (
          !storage.isAllowed ||
          readAt === undefined ||
          operation?.operation !== "query" ||
          body.singleResult.errors
        )
          return;
        storage.storable = { cost: cost(), identity, readAt };
      },
    };
  },
};
