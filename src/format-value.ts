const MAX_LENGTH = 60;

/** Formats a JSON value for a message: about 60 characters of a string, and no content of lists and objects. */
export function formatValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(truncate(value));
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Truncates a text to 60 characters for a message. */
export function truncate(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
}
