import { GraphQLError } from "graphql";

/**
 * Returns the text of an ID or a phone number that came as JSON. Numbers beyond ±(2^53 - 1) are refused: JSON.parse rounds
 * them, so that they would name something else than the client sent.
 */
export function exactText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new GraphQLError("The value must be a string, or a whole number of at most 2^53 - 1.");
}
