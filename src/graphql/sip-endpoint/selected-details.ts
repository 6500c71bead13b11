import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
} from "graphql";
import { DETAILS } from "../cost.js";

/**
 * Returns whether an operation selects fields of SIP endpoints that PIOPIY's list does not contain, inside the field that is being
 * resolved. A field of the same name in another type counts too: the result only decides when upstream requests are sent.
 */
export function selectsDetails({ fieldNodes, fragments, variableValues }: GraphQLResolveInfo): boolean {
  const spread = new Set<string>();
  return fieldNodes.some(hasDetails);

  function hasDetails(field: FieldNode): boolean {
    return field.selectionSet?.selections.some(isDetail) ?? false;
  }

  function isDetail(node: SelectionNode): boolean {
    if (!isIncluded(node)) return false;
    if (node.kind === Kind.FIELD) return DETAILS.includes(node.name.value) || hasDetails(node);
    if (node.kind === Kind.INLINE_FRAGMENT) return node.selectionSet.selections.some(isDetail);
    const name = node.name.value;
    // Each fragment is searched once, since nested fragments may spread it a billion times.
    if (spread.has(name)) return false;
    spread.add(name);
    return fragments[name]?.selectionSet.selections.some(isDetail) ?? false;
  }

  function isIncluded(node: SelectionNode): boolean {
    if (!node.directives?.length) return true;
    const skip = getDirectiveValues(GraphQLSkipDirective, node, variableValues);
    const include = getDirectiveValues(GraphQLIncludeDirective, node, variableValues);
    return skip?.if !== true && include?.if !== false;
  }
}
