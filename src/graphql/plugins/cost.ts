import type { ApolloServerPlugin } from "@apollo/server";
import { coerceVariables } from "../coerce-variables.js";
import type { Context } from "../context.js";
import { charge } from "./charge.js";
import { operationCost } from "./demand-control.js";

/** Refuses an operation that costs too much, and takes what others cost off the client's rate limit, before they run. */
export const costPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) return;
        const variables = coerceVariables(schema, operation, request);
        await charge(contextValue, operationCost(schema, document, operation, variables));
      },
    };
  },
};
