import type { ApolloServerPlugin } from "@apollo/server";
import { truncate } from "../../format-value.js";
import type { Context } from "../context.js";

/**
 * Marks stale responses, and selects the responses that http/response-cache.ts stores. `extensions.stale.ageMs` is the age of the
 * oldest part in milliseconds, when PIOPIY is down and the part is older than CACHE_TTL_MS. Only a successful query whose data all
 * came from the read cache is stored: a response that is requested once is not worth its memory.
 */
export const responseCachePlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue }) {
    return {
      async willSendResponse({ operation, operationName, response: { body } }) {
        if (body.kind !== "single") return;
        const { piopiy, storage, spent } = contextValue;
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
        storage.storable = {
          cost: spent(),
          operationName: operationName ? truncate(operationName) : undefined,
          readAt,
        };
      },
    };
  },
};
