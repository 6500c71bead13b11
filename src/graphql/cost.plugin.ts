import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { charge } from "./charge.js";
import { operationCost } from "./operation-cost.js";

/** Refuses an operation that costs too much, and takes what others cost off the caller's budget, before they run. */
export const costPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) return;
        await charge(contextValue, operationCost(schema, document, operation, request.variables ?? {}));
      },
    };
  },
};
