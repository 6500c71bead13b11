import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationRule,
  visit,
} from "graphql";
import type { Config } from "../config.js";
import { GatewayError } from "../errors.js";
import { MAX_JSON_DEPTH } from "./request-limits.js";

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** Returns the fragments of a document by their names. */
export function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((node) => [node.name.value, node]));
}

/**
 * Limits the size of GraphQL documents. As a validation rule, it reports its errors before other rules visit the document. The
 * message and `extensions.limit` name the exceeded limit. Introspection does not count towards the depth.
 */
export function documentLimits(limits: Config["limits"]): ValidationRule {
  return (context) => {
    const document = context.getDocument();
    const { aliases, directives, repeats, valueDepth } = countNodes(document);
    const { depth, rootFields } = measureSelections(document);
    checkLimit("aliases", aliases, limits.aliases, "MAX_ALIASES");
    checkLimit("repeated fields", repeats, limits.aliases, "MAX_ALIASES");
    checkLimit("directives", directives, limits.directives, "MAX_DIRECTIVES");
    checkLimit("levels of lists and objects", valueDepth, MAX_JSON_DEPTH, "JSON_DEPTH");
    checkLimit("levels of fields", depth, limits.depth, "MAX_DEPTH");
    checkLimit("root fields", rootFields, limits.rootFields, "MAX_ROOT_FIELDS");
    return {};

    function checkLimit(things: string, actual: number, maximum: number, limit: string): void {
      if (actual > maximum) context.reportError(limitError(limit, things, actual, maximum));
    }
  };
}

/** Creates the error of an operation that exceeds a limit. */
export function limitError(limit: string, things: string, actual: number, maximum: number): GatewayError {
  const message = `The operation has ${actual} ${things}; the maximum is ${maximum} (${limit}). Select less, or split the operation.`;
  return new GatewayError("GRAPHQL_VALIDATION_FAILED", message, { limit, maximum, actual });
}

/** Counts nodes of a document. A field without an alias is a repeat if the same selection set already contains the field. */
function countNodes(document: DocumentNode) {
  const counts = { aliases: 0, directives: 0, repeats: 0, valueDepth: 0 };
  let depth = 0;
  const value = {
    enter: () => {
      counts.valueDepth = Math.max(counts.valueDepth, ++depth);
    },
    leave: () => void depth--,
  };
  const namesInSelections: Set<string>[] = [];
  const scope = {
    enter: (node: ASTNode) => {
      if (node.kind === Kind.FIELD) {
        const names = namesInSelections.at(-1);
        if (node.alias) counts.aliases++;
        else if (names?.has(node.name.value)) counts.repeats++;
        names?.add(node.name.value);
      }
      namesInSelections.push(new Set());
    },
    leave: () => void namesInSelections.pop(),
  };
  visit(document, {
    Directive: () => void counts.directives++,
    Field: scope,
    OperationDefinition: scope,
    FragmentDefinition: scope,
    ListValue: value,
    ObjectValue: value,
  });
  return counts;
}

/** Returns the maximum depth and the maximum number of root fields of the operations, with fragments expanded. */
function measureSelections(document: DocumentNode): { depth: number; rootFields: number } {
  const fragments = fragmentsOf(document);
  const depths = new Map<string, number>();
  let depth = 0;
  let rootFields = 0;
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    depth = Math.max(depth, depthOf(node.selectionSet));
    rootFields = Math.max(rootFields, fieldsOf(node.selectionSet, new Set()).length);
  }
  return { depth, rootFields };

  function depthOf({ selections }: SelectionSetNode): number {
    return selections.reduce((deepest, node) => Math.max(deepest, selectionDepth(node)), 0);
  }

  function selectionDepth(node: SelectionNode): number {
    if (node.kind === Kind.INLINE_FRAGMENT) return depthOf(node.selectionSet);
    if (node.kind === Kind.FRAGMENT_SPREAD) return fragmentDepth(node.name.value);
    if (isIntrospection(node)) return 0;
    return 1 + (node.selectionSet ? depthOf(node.selectionSet) : 0);
  }

  function fragmentDepth(name: string): number {
    const known = depths.get(name);
    const fragment = fragments.get(name);
    if (known !== undefined || !fragment) return known ?? 0;
    // Ends the recursion for a fragment that spreads itself. Another rule rejects such a fragment.
    depths.set(name, 0);
    const found = depthOf(fragment.selectionSet);
    depths.set(name, found);
    return found;
  }

  function fieldsOf({ selections }: SelectionSetNode, visited: Set<string>): FieldNode[] {
    return selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      if (node.kind === Kind.INLINE_FRAGMENT) return fieldsOf(node.selectionSet, visited);
      const fragment = fragments.get(node.name.value);
      if (!fragment || visited.has(node.name.value)) return [];
      visited.add(node.name.value);
      return fieldsOf(fragment.selectionSet, visited);
    });
  }
}

/** Returns whether a field is an introspection field of the root: `__schema` or `__type`. */
export function isIntrospection({ name }: FieldNode): boolean {
  return name.value === "__schema" || name.value === "__type";
}
