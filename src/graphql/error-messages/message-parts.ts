import {
  type GraphQLInputType,
  type GraphQLNamedInputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  Kind,
  type ValueNode,
} from "graphql";
import { truncate } from "../../format-value.js";
import { nearestName } from "../../nearest-name.js";

/** The maximum number of names that a message lists. */
const MAX_LISTED = 12;

/**
 * Returns a sentence that suggests the most similar name of the schema, or lists all names if there are few. It starts with a
 * space.
 */
export function suggest(name: string, names: readonly string[], hints: boolean): string {
  const nearest = hints && nearestName(name, names);
  if (nearest) return ` Did you mean \`${nearest}\`?`;
  return hints && names.length <= MAX_LISTED
    ? ` Available: ${names.map((known) => `\`${known}\``).join(", ")}.`
    : "";
}

/** Formats a list of names of the schema. */
export function formatNames(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => `\`${name}\``).join(", ");
}

/** Formats a name of the document, truncated to 60 characters. */
export function formatName(name: string): string {
  return `\`${truncate(name)}\``;
}

const kinds: Readonly<Record<ValueNode["kind"], string>> = {
  [Kind.VARIABLE]: "a variable",
  [Kind.INT]: "a whole number",
  [Kind.FLOAT]: "a number",
  [Kind.STRING]: "a string",
  [Kind.BOOLEAN]: "a boolean",
  [Kind.NULL]: "null",
  [Kind.ENUM]: "a name without quotes",
  [Kind.LIST]: "a list",
  [Kind.OBJECT]: "an object",
};

const acceptedByType: Readonly<Record<string, string>> = {
  Boolean: "true or false",
  Float: "a number",
  ID: `a string, or a whole number from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`,
  PiopiyPhoneNumber: `a string such as "914471000000", or a whole number up to ${Number.MAX_SAFE_INTEGER}`,
  Int: "a whole number from -2147483648 to 2147483647",
  String: "a string",
};

/** Returns the kind of a literal in a document, without its value. */
export function literalKind({ kind }: ValueNode): string {
  return kinds[kind];
}

/** Returns the kind of a JSON value, without the value. */
export function valueKind(value: unknown): string {
  if (value === undefined) return "no value";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (Number.isSafeInteger(value)) return "a whole number";
  if (typeof value === "number")
    return Number.isInteger(value) ? "a whole number too large to be exact" : "a number";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Returns a sentence that describes the values that a type accepts. It starts with a space.
 *
 * @param hints whether names of the schema may be suggested
 */
export function describeAccepted(type: GraphQLInputType, hints: boolean): string {
  if (isListType(getNullableType(type))) return " It must be a list.";
  const named: GraphQLNamedInputType = getNamedType(type);
  if (isEnumType(named)) {
    return hints ? ` It must be one of ${formatNames(named.getValues())}.` : "";
  }
  if (isInputObjectType(named)) return " It must be an object.";
  if (Object.hasOwn(acceptedByType, named.name)) return ` It must be ${acceptedByType[named.name]}.`;
  return "";
}
