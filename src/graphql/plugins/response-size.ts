import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { limitError } from "../document-limits.js";

/** Text that is written as it is, one byte a character. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** The bytes of a value's JSON. It is not written, and each part is measured once: a result may hold one large part often. */
function jsonSize(value: unknown): number {
  const known = new Map<unknown, number>();
  return sizeOf(value);

  function sizeOf(part: unknown): number {
    if (typeof part === "string" && PLAIN.test(part)) return part.length + 2;
    if (typeof part !== "string" && (typeof part !== "object" || part === null)) return String(part).length;
    const size = known.get(part) ?? measure(part);
    known.set(part, size);
    return size;
  }

  function measure(part: string | object): number {
    if (typeof part === "string") return Buffer.byteLength(JSON.stringify(part));
    let size = 2;
    let parts = 0;
    if (Array.isArray(part)) {
      for (const item of part) size += sizeOf(item ?? null);
      parts = part.length;
    } else {
      for (const [name, item] of Object.entries(part)) {
        if (item === undefined) continue;
        size += sizeOf(name) + 1 + sizeOf(item);
        parts++;
      }
    }
    return size + Math.max(0, parts - 1);
  }
}

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
