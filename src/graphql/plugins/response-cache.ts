import type { ApolloServerPlugin } from "@apollo/server";
import { truncate } from "../../format-value.js";
import type { Context } from "../context.js";

/**
 * Marks a response as stale, and lets http/response-cache.ts store it. `extensions.stale.ageMs` has the age in milliseconds of the
 * oldest part, when PIOPIY is down and the part is older than CACHE_TTL_MS. Only successful queries are stored whose data all came
 * from the read cache: what is read once is not worth its memory.
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
