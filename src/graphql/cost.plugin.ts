import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { coerceVariables } from "./coerce-variables.js";
import { limitError } from "./document-limits.js";
import { operationCost } from "./operation-cost.js";

/** Refuses an operation that costs too much, and takes what others cost off the caller's budget, before they run. */
export function costPlugin(maximum: number): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return;
          const variables = coerceVariables(schema, operation, request);
          const cost = operationCost(schema, document, operation, variables);
          if (cost > maximum) throw limitError("MAX_COST", "units of cost", cost, maximum);
          await contextValue.charge(cost);
        },
      };
    },
  };
}
