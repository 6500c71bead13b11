import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from "graphql";
import type { Fragments } from "../document-limits.js";

/** For quotes, a colon and a comma. */
const PUNCTUATION_BYTES = 6;

/**
 * Returns how many bytes, about, the result of `__schema` or `__type` has. It runs graphql-js's own resolvers, once for each
 * selection and element of the schema, however often fields that refer to each other lead there: so it is known in
 * milliseconds for a result of gigabytes.
 *
 * @param name the argument of `__type`
 */
export function introspectionSize(
  schema: GraphQLSchema,
  fragments: Fragments,
  root: FieldNode,
  name: unknown,
): number {
  const sizes = new Map<SelectionSetNode, Map<unknown, number>>();
  const info = { schema } as GraphQLResolveInfo;
  const meta = root.name.value === "__schema" ? SchemaMetaFieldDef : TypeMetaFieldDef;
  return valueSize(root, getNamedType(meta.type), meta.resolve?.(undefined, { name }, undefined, info));

  function valueSize(node: FieldNode, type: unknown, value: unknown): number {
    const own = (node.alias ?? node.name).value.length + PUNCTUATION_BYTES;
    const values = Array.isArray(value) ? value : [value];
    return values.reduce((sum: number, each) => {
      if (typeof each === "string") return sum + each.length + PUNCTUATION_BYTES;
      if (!node.selectionSet || !isObjectType(type) || each == null) return sum + PUNCTUATION_BYTES;
      return sum + objectSize(node.selectionSet, type, each);
    }, own);
  }

  function objectSize(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    const known = sizes.get(set) ?? new Map<unknown, number>();
    sizes.set(set, known);
    const size = known.get(source) ?? selectionsSize(set, type, source);
    known.set(source, size);
    return size;
  }

  function selectionsSize(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    return set.selections.reduce((sum, node) => {
      if (node.kind === Kind.INLINE_FRAGMENT) return sum + objectSize(node.selectionSet, type, source);
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value);
        return sum + (fragment ? objectSize(fragment.selectionSet, type, source) : 0);
      }
      const field = type.getFields()[node.name.value];
      if (!field) return sum + valueSize(node, undefined, type.name);
      const value: unknown = field.resolve?.(source, { includeDeprecated: true }, undefined, info);
      return sum + valueSize(node, getNamedType(field.type), value);
    }, 0);
  }
}
