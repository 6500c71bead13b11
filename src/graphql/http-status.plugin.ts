import type { ApolloServerPlugin } from "@apollo/server";

const OF_THE_DOCUMENT = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"];

/**
 * Answers a well-formed request for an impossible operation with 200, unless the client takes
 * `application/graphql-response+json`: in plain `application/json` the GraphQL-over-HTTP specification keeps
 * other statuses for requests that are no GraphQL request at all, so that a client reads the errors.
 */
export const httpStatusPlugin: ApolloServerPlugin = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, document, response }) {
        const code =
          response.body.kind === "single" && response.body.singleResult.errors?.[0]?.extensions?.code;
        const wellFormed = document !== undefined || code !== "BAD_USER_INPUT";
        const plain = !request.http?.headers.get("accept")?.includes("application/graphql-response+json");
        if (plain && wellFormed && response.http.status === 400 && OF_THE_DOCUMENT.includes(String(code))) {
          response.http.status = 200;
        }
      },
    };
  },
};
