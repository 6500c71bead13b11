import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { jsonSize } from "../json-size.js";
import { limitError } from "./document-limits.js";

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/**
 * Rejects a query whose response is too large, before its text is written. A mutation is exempt, since a password that it
 * has set is always returned; what it returns is bounded by its cost and by the length of usernames and passwords.
 */
export const responseSizePlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ operation, response: { body, http } }) {
        if (operation?.operation === "mutation" || body.kind !== "single") return;
        const actual = jsonSize(body.singleResult);
        if (actual <= MAX_RESPONSE_BYTES) return;
        const error = limitError("MAX_RESPONSE_BYTES", "bytes of response", actual, MAX_RESPONSE_BYTES);
        body.singleResult = { errors: [error.toJSON()] };
        http.status = 400;
      },
    };
  },
};
