import { type ApolloServerPlugin, HeaderMap } from "@apollo/server";
import { GraphQLError } from "graphql";
import { coerceVariables, explainVariables } from "../coerce-variables.js";
import type { Context } from "../context.js";
import { formatError } from "../format-error.js";

/**
 * Refuses an operation whose variables do not fit their types, in the gateway's words: those of GraphQL hold the values.
 *
 * @param hints whether errors may suggest names of the schema
 */
export function variablesPlugin(hints: boolean): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async responseForOperation({ schema, operation, request }) {
          // There is none where the document has another one.
          if (!operation || coerceVariables(schema, operation, request)) return null;
          const problems = explainVariables(schema, operation, request.variables ?? {}, hints);
          const errors = problems.map(({ message, node }) => {
            const { locations = [] } = new GraphQLError(message, { nodes: node });
            return { message, locations, extensions: { code: "BAD_USER_INPUT", retryable: false } };
          });
          const unknown = formatError({ message: "", extensions: { code: "BAD_USER_INPUT" } }, undefined);
          return {
            http: { status: 400, headers: new HeaderMap() },
            body: { kind: "single", singleResult: { errors: errors.length > 0 ? errors : [unknown] } },
          };
        },
      };
    },
  };
}
