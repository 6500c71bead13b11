/** Text that JSON and UTF-8 write with one byte a character. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** The number of bytes of a value's JSON, which is not written: a result may hold one large value a thousand times. */
export function jsonSize(value: unknown, known = new Map<unknown, number>()): number {
  if (typeof value === "string") return PLAIN.test(value) ? value.length + 2 : textSize(value, known);
  if (typeof value !== "object" || value === null) return String(JSON.stringify(value)).length;
  let size = known.get(value);
  if (size === undefined) {
    size = Array.isArray(value) ? listSize(value, known) : objectSize(value, known);
    known.set(value, size);
  }
  return size;
}
