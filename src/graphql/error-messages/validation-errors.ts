import * as graphql from "graphql";
import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLFormattedError,
  type GraphQLInputField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isRequiredArgument,
  isRequiredInputField,
  Kind,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  validate,
} from "graphql";
import { isIntrospection } from "../document-limits.js";
import { describeAccepted, formatName, formatNames, literalKind, suggest } from "./message-parts.js";

type Nodes = readonly ASTNode[];
type Message = (nodes: Nodes, context: ValidationContext, hints: boolean) => string;

/** Rejects introspection. */
const introspectionOff: ValidationRule = (context) => ({
  Field(node) {
    if (isIntrospection(node)) context.reportError(new graphql.GraphQLError("", { nodes: node }));
  },
});

/** For each validation rule, a function that returns the message of an error from the nodes and the context of the error. */
const validationMessages: ReadonlyMap<ValidationRule, Message> = new Map<ValidationRule, Message>([
  [graphql.FieldsOnCorrectTypeRule, unknownField],
  [graphql.ScalarLeafsRule, selectionProblem],
  [graphql.KnownArgumentNamesRule, unknownArgument],
  [graphql.ProvidedRequiredArgumentsRule, missingArgument],
  [graphql.ValuesOfCorrectTypeRule, valueProblem],
  [graphql.VariablesInAllowedPositionRule, variableOfOtherType],
  [graphql.OverlappingFieldsCanBeMergedRule, fieldConflict],
  [graphql.KnownDirectivesRule, directiveProblem],
  [graphql.PossibleFragmentSpreadsRule, impossibleFragment],
  [
    graphql.KnownTypeNamesRule,
    ([node], context, hints) =>
      `There is no type ${formatNodeName(node)}.${suggest(nodeName(node), Object.keys(context.getSchema().getTypeMap()), hints)}`,
  ],
  [
    graphql.FragmentsOnCompositeTypesRule,
    ([node]) =>
      `A fragment must be on an object, an interface or a union; ${formatNodeName(node)} is none of them.`,
  ],
  [
    graphql.VariablesAreInputTypesRule,
    ([node]) => `A variable must be of an input type; ${formatNodeName(node)} is not one.`,
  ],
  [graphql.KnownFragmentNamesRule, ([node]) => `The document has no fragment ${formatNodeName(node)}.`],
  [
    graphql.NoUnusedFragmentsRule,
    ([node]) => `The fragment ${formatNodeName(node)} is never used. Remove it.`,
  ],
  [
    graphql.NoFragmentCyclesRule,
    ([node]) =>
      `The fragment ${formatNodeName(node)} must not spread itself, directly or through other fragments.`,
  ],
  [
    graphql.NoUndefinedVariablesRule,
    ([node]) => `The operation does not declare the variable ${formatVariable(node)}.`,
  ],
  [
    graphql.NoUnusedVariablesRule,
    ([node]) => `The variable ${formatVariable(node)} is never used. Remove it.`,
  ],
  [
    graphql.LoneAnonymousOperationRule,
    () => "A document with several operations must give each of them a name.",
  ],
  [
    graphql.UniqueArgumentNamesRule,
    ([node]) => `The argument ${formatNodeName(node)} is given more than once.`,
  ],
  [graphql.UniqueInputFieldNamesRule, () => "A field of an input object is given more than once."],
  [graphql.UniqueFragmentNamesRule, ([node]) => `There is more than one fragment ${formatNodeName(node)}.`],
  [graphql.UniqueOperationNamesRule, ([node]) => `There is more than one operation ${formatNodeName(node)}.`],
  [
    graphql.UniqueVariableNamesRule,
    ([node]) => `The variable ${formatVariable(node)} is declared more than once.`,
  ],
  [
    graphql.UniqueDirectivesPerLocationRule,
    ([node]) => `The directive ${formatName(`@${nodeName(node)}`)} may be used only once here.`,
  ],
  [
    graphql.ExecutableDefinitionsRule,
    () =>
      "The document may have operations and fragments only. Remove the definition of a type or directive.",
  ],
  [
    graphql.MaxIntrospectionDepthRule,
    () =>
      "The introspection depth is too large. Select fewer lists within lists, such as `fields` within `fields`.",
  ],
  [introspectionOff, () => "Introspection is off here (INTROSPECTION). Read the published schema instead."],
]);

function unknownField([node]: Nodes, context: ValidationContext, hints: boolean): string {
  const parent = context.getParentType();
  const names = parent && "getFields" in parent ? Object.keys(parent.getFields()) : [];
  const advice =
    parent && isAbstractType(parent) && hints
      ? ` Select the fields of one of its types in a fragment: ${formatNames(context.getSchema().getPossibleTypes(parent))}.`
      : suggest(nodeName(node), names, hints);
  return `\`${parent}\` has no field ${formatNodeName(node)}.${advice}`;
}

function selectionProblem([node]: Nodes, context: ValidationContext): string {
  const field = context.getFieldDef();
  const start = `\`${field?.name}\` is of type \`${field?.type}\``;
  return node?.kind === Kind.SELECTION_SET
    ? `${start}, which has no fields. Remove the braces after it.`
    : `${start}: select some of its fields in braces after it.`;
}

function unknownArgument([node]: Nodes, context: ValidationContext, hints: boolean): string {
  const directive = context.getDirective();
  const field = context.getFieldDef();
  const owner = directive ? `@${directive.name}` : `${context.getParentType()}.${field?.name}`;
  const names = (directive ?? field)?.args.map(({ name }) => name) ?? [];
  return `\`${owner}\` has no argument ${formatNodeName(node)}.${suggest(nodeName(node), names, hints)}`;
}

function missingArgument([node]: Nodes, context: ValidationContext): string {
  const directive = node?.kind === Kind.DIRECTIVE ? context.getSchema().getDirective(node.name.value) : null;
  const owner = directive ?? context.getFieldDef();
  const given = new Set((node as FieldNode).arguments?.map(({ name }) => name.value));
  const missing = owner?.args.filter((argument) => isRequiredArgument(argument) && !given.has(argument.name));
  return `\`${directive ? "@" : ""}${owner?.name}\` needs ${formatMissing("argument", missing ?? [])}.`;
}

function valueProblem([node]: Nodes, context: ValidationContext, hints: boolean): string {
  const type = context.getInputType();
  const argument = context.getArgument();
  if (node?.kind === Kind.OBJECT_FIELD) {
    const parent = getNamedType(context.getParentInputType());
    const names = isInputObjectType(parent) ? Object.keys(parent.getFields()) : [];
    return `\`${parent}\` does not have this field.${suggest(node.name.value, names, hints)}`;
  }
  const value = node && "kind" in node ? (node as graphql.ValueNode) : undefined;
  const named = type && getNamedType(type);
  if (value?.kind === Kind.OBJECT && isInputObjectType(named)) {
    const given = new Set(value.fields.map(({ name }) => name.value));
    const missing = Object.values(named.getFields()).filter(
      (field) => isRequiredInputField(field) && !given.has(field.name),
    );
    return `\`${named}\` needs ${formatMissing("field", missing)}.`;
  }
  const inside = argument && argument.type !== type ? "A value in " : "";
  const subject = argument ? `${inside}\`${argument.name}\`` : "A value";
  const what = value ? ` (got ${literalKind(value)})` : "";
  const advice = type ? describeAccepted(type, hints) : "";
  return `${subject} must be of type \`${type}\`${what}.${advice}`;
}

function variableOfOtherType([definition, node]: Nodes, context: ValidationContext): string {
  const operation = context
    .getDocument()
    .definitions.find(
      (one) =>
        one.kind === Kind.OPERATION_DEFINITION &&
        one.variableDefinitions?.some((each) => each === definition),
    );
  const usages =
    operation?.kind === Kind.OPERATION_DEFINITION ? context.getRecursiveVariableUsages(operation) : [];
  const expected = usages.find((usage) => usage.node === node)?.type;
  const declared =
    definition?.kind === Kind.VARIABLE_DEFINITION ? formatName(graphql.print(definition.type)) : "";
  return `The variable ${formatVariable(node)} is declared as ${declared} and must be of type \`${expected}\` here.`;
}

/**
 * Describes two conflicting fields. Each half of the nodes is the path to one of them, so its last node is the conflicting field.
 */
function fieldConflict(nodes: Nodes): string {
  const [one, other] = [nodes[nodes.length / 2 - 1], nodes.at(-1)];
  const advice = "Give one of them another alias.";
  return nodeName(one) === nodeName(other)
    ? `${formatNodeName(one)} is selected twice under the same name, with different arguments. ${advice}`
    : `${formatNodeName(one)} and ${formatNodeName(other)} are selected under the same name. ${advice}`;
}

function directiveProblem([node]: Nodes, context: ValidationContext, hints: boolean): string {
  const known = context.getSchema().getDirectives();
  const directive = known.find(({ name }) => name === nodeName(node));
  if (directive) {
    return `The directive \`@${directive.name}\` may not be used here. It may be used on: ${directive.locations.join(", ")}.`;
  }
  const names = known.map(({ name }) => name);
  return `There is no directive ${formatName(`@${nodeName(node)}`)}.${suggest(nodeName(node), names, hints)}`;
}

function impossibleFragment([node]: Nodes, context: ValidationContext): string {
  const fragment = node?.kind === Kind.FRAGMENT_SPREAD ? context.getFragment(node.name.value) : node;
  const type =
    fragment?.kind === Kind.FRAGMENT_DEFINITION
      ? formatNodeName(fragment.typeCondition)
      : `\`${context.getType()}\``;
  return `A fragment on ${type} never applies to \`${context.getParentType()}\`. Remove it.`;
}

function formatMissing(what: string, missing: readonly (GraphQLArgument | GraphQLInputField)[]): string {
  const names = missing.map(({ name, type }) => `\`${name}\` of type \`${type}\``).join(" and ");
  return `the ${what}${missing.length > 1 ? "s" : ""} ${names}`;
}

/** Formats the variable that a node uses or declares. */
function formatVariable(node: ASTNode | undefined): string {
  return node && "variable" in node
    ? formatName(`$${node.variable.name.value}`)
    : formatName(`$${nodeName(node)}`);
}

/** Formats the name of a node, truncated to 60 characters. */
function formatNodeName(node: ASTNode | undefined): string {
  return formatName(nodeName(node));
}

/** Returns the name of a node; for a list type, the name of its item type. */
function nodeName(node: ASTNode | undefined): string {
  if (node?.kind === Kind.NAME) return node.value;
  if (node?.kind === Kind.LIST_TYPE || node?.kind === Kind.NON_NULL_TYPE) return nodeName(node.type);
  return node && "name" in node && node.name ? node.name.value : "";
}

const MAX_PROBLEMS = 5;
const MAX_LOCATIONS = 5;

/**
 * Returns at most five errors of an invalid document. Validates the document again, to choose each message by the rule that
 * reports the error. The messages of graphql-js are not used, because they contain parts of the document, such as a password.
 *
 * @param introspection whether introspection is allowed, and messages may suggest names of the schema
 */
export function describeValidationErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  introspection: boolean,
): readonly GraphQLFormattedError[] {
  const problems = new Map<string, GraphQLFormattedError>();
  const withMessages = (rule: ValidationRule): ValidationRule => {
    const describe = validationMessages.get(rule);
    return (context) => {
      const reporting: ValidationContext = Object.create(context, {
        reportError: {
          value(error: Parameters<ValidationContext["reportError"]>[0]) {
            const message = describe?.(error.nodes ?? [], context, introspection) ?? FALLBACK_MESSAGE;
            const locations = error.locations?.slice(0, MAX_LOCATIONS) ?? [];
            const extensions = {
              code: "GRAPHQL_VALIDATION_FAILED",
              retryable: false,
              // Apollo's clients and tools read this code.
              ...(rule === introspectionOff && { validationErrorCode: "INTROSPECTION_DISABLED" }),
            };
            // For a field that lacks two arguments, graphql-js reports two errors. Their messages are the same here.
            problems.set(JSON.stringify([message, locations]), { message, locations, extensions });
            context.reportError(error);
          },
        },
      });
      return rule(reporting);
    };
  };
  const rules = introspection ? specifiedRules : [...specifiedRules, introspectionOff];
  validate(schema, document, rules.map(withMessages), { maxErrors: MAX_PROBLEMS, hideSuggestions: true });
  return [...problems.values()].slice(0, MAX_PROBLEMS);
}

const FALLBACK_MESSAGE = "This part of the document does not match the schema.";
