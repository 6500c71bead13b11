import { type ASTNode, Kind } from "graphql";
import { shorten } from "../../format-value.js";
import { nearestName } from "../../nearest-name.js";

/** More names than these are no help. */
const MAX_LISTED = 12;

/** Suggests the nearest of some names of the schema, or lists them if they are few: a sentence with a space before it. */
export function suggest(name: string, names: readonly string[], hints: boolean): string {
  const nearest = hints && nearestName(name, names);
  if (nearest) return ` Did you mean \`${nearest}\`?`;
  return hints && names.length <= MAX_LISTED
    ? ` Known here: ${names.map((known) => `\`${known}\``).join(", ")}.`
    : "";
}

/** Lists names of the schema. */
export function namesOf(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => `\`${name}\``).join(", ");
}

/** Shows a name of the document: at most 60 characters. */
export function showName(name: string): string {
  return `\`${shorten(name)}\``;
}

/** Shows the variable that a node uses or declares. */
export function variableOf(node: ASTNode | undefined): string {
  return node && "variable" in node
    ? showName(`$${node.variable.name.value}`)
    : showName(`$${rawNameOf(node)}`);
}

/** Shows the name of a node: at most 60 characters. */
export function nameOf(node: ASTNode | undefined): string {
  return showName(rawNameOf(node));
}

/** The name of a node; of a list type, that of its items. */
export function rawNameOf(node: ASTNode | undefined): string {
  if (node?.kind === Kind.NAME) return node.value;
  if (node?.kind === Kind.LIST_TYPE || node?.kind === Kind.NON_NULL_TYPE) return rawNameOf(node.type);
  return node && "name" in node && node.name ? node.name.value : "";
}
