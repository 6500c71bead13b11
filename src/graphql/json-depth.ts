import { GatewayError } from "../errors.js";

/** How many levels of lists and objects a request may have, in its JSON and in a value of its document. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Tells whether a JSON text is deeper than 64 levels, without a stack of its own: many functions that read values are
 * recursive.
 */
export function isJsonTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= MAX_JSON_DEPTH; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code)) depth--;
  }
  return depth > MAX_JSON_DEPTH;
}

/** The place of the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** The error for JSON that is deeper. */
export function jsonDepthError(): GatewayError {
  return new GatewayError(
    "BAD_REQUEST",
    `The JSON has more than ${MAX_JSON_DEPTH} levels of lists and objects (JSON_DEPTH). Send a flatter value.`,
    { limit: "JSON_DEPTH", maximum: MAX_JSON_DEPTH },
  );
}
