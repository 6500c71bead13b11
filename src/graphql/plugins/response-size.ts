import type { ApolloServerPlugin } from "@apollo/server";
import type { Context } from "../context.js";
import { limitError } from "../document-limits.js";

/** Matches text that needs no escapes in JSON and has one byte per character. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Returns the size of a value's JSON in bytes, without creating it. Each part is measured once, since it may occur many times. */
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
 * Rejects a query whose response is too large, before its JSON is created. A mutation is exempt, since a password that it has set
 * is always returned. The size of its response is limited by the cost of the mutation and the length of usernames and passwords.
 */
export const responseSizePlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ operation, response: { body } }) {
        if (operation?.operation === "mutation" || body.kind !== "single") return;
        const actual = jsonSize(body.singleResult);
        if (actual <= MAX_RESPONSE_BYTES) return;
        const error = limitError("MAX_RESPONSE_BYTES", "bytes in its response", actual, MAX_RESPONSE_BYTES);
        body.singleResult = { errors: [error.toJSON()] };
      },
    };
  },
};
