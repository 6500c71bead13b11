import type { ApolloServerPlugin } from "@apollo/server";
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
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from "graphql";
import type { Context } from "../context.js";
import { FieldCosts, idCount, introspectionSize, isDetailField, REQUEST_COST, rowCount } from "../cost.js";
import { fragmentsOf, isIntrospection } from "../document-limits.js";
import { type CoercedVariables, coerceVariables } from "./variables.js";

/** The standard introspection query has a result of about 100 kB. */
const INTROSPECTION_BYTES_PER_UNIT = 200;

/** The cost of a selection: `fixed`, and `perRow` for each row of the list that contains it. */
interface Cost {
  readonly fixed: number;
  readonly perRow: number;
  /** Whether the selection has a field that needs an upstream request for each endpoint. */
  readonly isDetailed: boolean;
  /** Whether the selection, or a selection inside it, has such a field. */
  readonly hasDetails: boolean;
}

const zero: Cost = { fixed: 0, perRow: 0, isDetailed: false, hasDetails: false };

/**
 * Returns the cost of an operation, which is the sum of:
 *
 * - 1 for each selected field, and 1 for each row for a field inside a list
 * - 5 for each upstream request that the operation may cause
 * - 1 for every 20 bytes of PCMO that it validates, rounded up
 * - 1 for every 200 bytes of introspection that it returns, rounded up
 *
 * A mutation of many endpoints costs 1, and 1 for each endpoint, instead.
 *
 * The number of rows is the value of `first` or `last` (in the document, in a variable, or by default), or the number of ids or
 * entities that the client or router requests.
 */
export function operationCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  coerced: CoercedVariables,
): number {
  const root = schema.getRootType(operation.operation);
  // Invalid variables are rejected before any resolver runs.
  if (!root || !coerced) return 0;
  const fieldCosts = new FieldCosts(coerced);
  const fragments = fragmentsOf(document);
  const costs = new Map<string, Cost>();
  const { fixed, perRow } = selectionCost(operation.selectionSet, root);
  return fixed + perRow;

  function selectionCost({ selections }: SelectionSetNode, parent: GraphQLCompositeType): Cost {
    return selections.map((node) => nodeCost(node, parent)).reduce(addCosts, zero);
  }

  function nodeCost(node: SelectionNode, parent: GraphQLCompositeType): Cost {
    if (node.kind === Kind.FIELD) return fieldCost(node, parent);
    if (node.kind === Kind.FRAGMENT_SPREAD) return spreadCost(node.name.value);
    const type = node.typeCondition ? schema.getType(node.typeCondition.name.value) : parent;
    return isCompositeType(type) ? selectionCost(node.selectionSet, type) : zero;
  }

  /** Returns the cost of a fragment. It is computed once, since nested fragments may spread a fragment a billion times. */
  function spreadCost(name: string): Cost {
    const fragment = fragments.get(name);
    const type = fragment && schema.getType(fragment.typeCondition.name.value);
    if (!fragment || !isCompositeType(type)) return zero;
    const cost = costs.get(name) ?? selectionCost(fragment.selectionSet, type);
    costs.set(name, cost);
    return cost;
  }

  function fieldCost(node: FieldNode, parent: GraphQLCompositeType): Cost {
    const name = node.name.value;
    if (isIntrospection(node)) return { ...zero, fixed: introspectionCost(node) };
    const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
    const isDetailed = isDetailField(parent.name, name);
    if (!field) return { ...zero, fixed: 1 };
    const type = getNamedType(field.type);
    const inner = node.selectionSet && isCompositeType(type) ? selectionCost(node.selectionSet, type) : zero;
    const isRoot = parent === root;
    const many = isRoot ? fieldCosts.manyEndpointsCost(field, node, inner) : undefined;
    if (many !== undefined) return { ...zero, fixed: many };
    // `sipEndpoint` gets the detail fields of its endpoint in the same upstream request, so they cost nothing more there.
    const perElement = inner.fixed + (inner.isDetailed && !isRoot ? REQUEST_COST : 0);
    const hasDetails = isDetailed || inner.hasDetails;
    const own = 1 + (isRoot ? fieldCosts.rootFieldCost(operation.operation, field, node, hasDetails) : 0);
    const rows = requestedRows(field, node);
    const [fixed, perRow] = isList(field.type) ? [0, perElement + inner.perRow] : [perElement, inner.perRow];
    return rows === undefined
      ? { fixed: own + fixed, perRow, isDetailed, hasDetails }
      : { fixed: own + fixed + rows * perRow, perRow: 0, isDetailed, hasDetails };
  }

  function introspectionCost(node: FieldNode): number {
    const name = fieldCosts.argumentValue(TypeMetaFieldDef, node, "name");
    return Math.ceil(introspectionSize(schema, fragments, node, name) / INTROSPECTION_BYTES_PER_UNIT);
  }

  function requestedRows(field: GraphQLField<unknown, unknown>, node: FieldNode): number | undefined {
    const name = ["first", "ids", "representations"].find((candidate) =>
      field.args.some((argument) => argument.name === candidate),
    );
    if (!name) return undefined;
    const value =
      fieldCosts.argumentValue(field, node, name) ?? fieldCosts.argumentValue(field, node, "last");
    if (name === "ids") return idCount(value);
    return Array.isArray(value) ? value.length : rowCount(value);
  }
}

function addCosts(one: Cost, other: Cost): Cost {
  return {
    fixed: one.fixed + other.fixed,
    perRow: one.perRow + other.perRow,
    isDetailed: one.isDetailed || other.isDetailed,
    hasDetails: one.hasDetails || other.hasDetails,
  };
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}

/** Charges the cost of an operation before it runs, or rejects one that costs too much. The response contains the cost. */
export const demandControlPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) return;
        const variables = coerceVariables(schema, operation, request);
        await contextValue.charge(operationCost(schema, document, operation, variables));
      },
      async willSendResponse({ contextValue, response: { body } }) {
        if (body.kind !== "single") return;
        body.singleResult.extensions = { ...body.singleResult.extensions, cost: contextValue.cost() };
      },
    };
  },
};
