import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { operationCost } from "../cost/operation-cost.js";
import { coerceVariables } from "./variables.js";

/** Refuses an operation that costs too much, and takes what others cost off the client's rate limit, before they run. */
export const demandControlPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) return;
        const variables = coerceVariables(schema, operation, request);
        await contextValue.charge(operationCost(schema, document, operation, variables));
      },
    };
  },
};
