import type { ApolloServerPlugin } from "@apollo/server";
import { retryAfterSeconds } from "../../errors.js";

const DOCUMENT_ERRORS = [
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "DOCUMENT_NOT_TRUSTED",
];

/**
 * Gives answers their HTTP status. A well-formed request for an impossible operation is answered with 200, unless the
 * client takes `application/graphql-response+json`: in plain `application/json` the GraphQL-over-HTTP specification
 * keeps other statuses for requests that are no GraphQL request at all, so that a client reads the errors.
 */
export const httpStatusPlugin: ApolloServerPlugin = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, document, response: { body, http } }) {
        const { code, retryAfterMs } =
          (body.kind === "single" && body.singleResult.errors?.[0]?.extensions) || {};
        const isWellFormed = document !== undefined || code !== "BAD_USER_INPUT";
        const isPlainJson = !request.http?.headers
          .get("accept")
          ?.includes("application/graphql-response+json");
        if (code === "RATE_LIMITED") {
          http.status = 429;
          http.headers.set("retry-after", retryAfterSeconds(retryAfterMs));
        } else if (Number(http.status) >= 400 && DOCUMENT_ERRORS.includes(String(code))) {
          http.status = isPlainJson && isWellFormed ? 200 : 400;
        }
      },
    };
  },
};
