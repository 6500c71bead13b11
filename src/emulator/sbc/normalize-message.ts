/** Characters and lines of the headers of a message. The grammar of sip.js needs up to 0.1 seconds for so many. */
export const MAX_HEADER_LENGTH = 16_384;
const MAX_HEADER_LINES = 128;

/** A response to this request URI would reach no SIP phone. It stands for `Contact: *`, which the grammar of sip.js rejects. */
export const EVERY_CONTACT = "sip:*@every-contact.invalid";

/**
 * Returns a message with one line for each header, without `Contact: *` and without empty lines at the start, or undefined if its
 * headers are too large or have no end.
 */
export function normalizeMessage(received: string): string | undefined {
  const text = received.replace(/^(?:\r\n)+/, "");
  const end = text.slice(0, MAX_HEADER_LENGTH + 4).indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  if (lines.length > MAX_HEADER_LINES) return undefined;
  const headers = lines.map((line) =>
    /^(contact|m)[ \t]*:[ \t]*\*[ \t]*$/i.test(line) ? `Contact: <${EVERY_CONTACT}>` : line,
  );
  return headers.join("\r\n") + text.slice(end);
}
