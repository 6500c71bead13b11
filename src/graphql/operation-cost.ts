import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromAST,
} from "graphql";
import type { CoercedVariables } from "./coerce-variables.js";
import { isIntrospection } from "./document-limits.js";
import { fragmentsOf } from "./fragments.js";
import { MAX_FIRST } from "./sip-endpoint/sip-endpoints.args.js";

/**
 * What an operation costs: 1 a selected field, times the number of rows inside a list. That number is `first`, also when
 * a variable or a default gives it, or how many references a router asks for at once. Introspection costs nothing.
 */
export function operationCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  coerced: CoercedVariables,
): number {
  const root = schema.getRootType(operation.operation);
  const fragments = fragmentsOf(document);
  const costs = new Map<string, number>();
  // Wrong variables are refused before any resolver runs.
  return root && coerced ? selectionCost(operation.selectionSet, root, 1) : 0;

  /** @param rows what a list below asks for */
  function selectionCost(
    { selections }: SelectionSetNode,
    parent: GraphQLCompositeType,
    rows: number,
  ): number {
    return selections.reduce((sum, node) => {
      if (node.kind === Kind.FIELD) return sum + fieldCost(node, parent, rows);
      if (node.kind === Kind.FRAGMENT_SPREAD) return sum + spreadCost(node.name.value, rows);
      const type = node.typeCondition ? schema.getType(node.typeCondition.name.value) : parent;
      return sum + (isCompositeType(type) ? selectionCost(node.selectionSet, type, rows) : 0);
    }, 0);
  }

  /** Remembered, since fragments within fragments may spread one a billion times. */
  function spreadCost(name: string, rows: number): number {
    const key = `${name} ${rows}`;
    const fragment = fragments.get(name);
    const type = fragment && schema.getType(fragment.typeCondition.name.value);
    if (fragment && isCompositeType(type) && !costs.has(key)) {
      costs.set(key, selectionCost(fragment.selectionSet, type, rows));
    }
    return costs.get(key) ?? 0;
  }

  function fieldCost(node: FieldNode, parent: GraphQLCompositeType, rows: number): number {
    if (isIntrospection(node)) return 0;
    const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (!field || !node.selectionSet) return 1;
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return 1;
    const asked = rowsAsked(field, node) ?? rows;
    return (
      1 +
      (isList(field.type)
        ? asked * selectionCost(node.selectionSet, type, 1)
        : selectionCost(node.selectionSet, type, asked))
    );
  }

  function rowsAsked(field: GraphQLField<unknown, unknown>, node: FieldNode): number | undefined {
    const [argument] = field.args.filter(({ name }) => name === "first" || name === "representations");
    if (!argument) return undefined;
    const given = node.arguments?.find(({ name }) => name.value === argument.name)?.value;
    const value = (given && valueFromAST(given, argument.type, coerced)) ?? argument.defaultValue;
    if (Array.isArray(value)) return value.length;
    return typeof value === "number" ? Math.min(Math.max(value, 0), MAX_FIRST) : 1;
  }
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}
