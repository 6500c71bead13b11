import type { ApolloServerPlugin } from "@apollo/server";
import { retryAfterSeconds } from "../../errors.js";

const DOCUMENT_ERRORS = [
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "DOCUMENT_NOT_TRUSTED",
];

/**
 * Sets the HTTP status of a response. A well-formed request for an invalid operation gets 200, unless the client accepts
 * `application/graphql-response+json`. With `application/json`, other statuses mean that the request is not
 * well-formed (GraphQL over HTTP specification), so that some clients do not read the errors.
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
