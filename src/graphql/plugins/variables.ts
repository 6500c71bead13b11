import { type ApolloServerPlugin, type GraphQLRequest, HeaderMap } from "@apollo/server";
import {
  GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from "graphql";
import type { Context } from "../context.js";
import { describeAccepted, formatName, suggest, valueKind } from "../error-messages/message-parts.js";
import { formatError } from "../format-error.js";

const MAX_PROBLEMS = 5;

/** The coerced variables of an operation; undefined when one of them does not match its type. */
export type CoercedVariables = Readonly<Record<string, unknown>> | undefined;

const coercedByRequest = new WeakMap<GraphQLRequest, CoercedVariables>();

/** Returns the coerced variables of a request. All plugins share the result. */
export function coerceVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  request: GraphQLRequest,
): CoercedVariables {
  if (!coercedByRequest.has(request)) {
    const options = { maxErrors: 1, hideSuggestions: true };
    const definitions = operation.variableDefinitions ?? [];
    coercedByRequest.set(
      request,
      getVariableValues(schema, definitions, request.variables ?? {}, options).coerced,
    );
  }
  return coercedByRequest.get(request);
}

/** A variable that does not match its type. */
export interface VariableProblem {
  readonly message: string;
  readonly node: VariableDefinitionNode;
}

/**
 * Returns at most five problems of the variables of an operation. The messages contain the kinds of the values and names of the
 * schema, and no values.
 *
 * @param hints whether names of the schema may be suggested
 */
function findVariableProblems(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  hints: boolean,
): readonly VariableProblem[] {
  const problems: VariableProblem[] = [];
  for (const node of variableDefinitions) {
    const type = typeFromAST(schema, node.type);
    const name = node.variable.name.value;
    const isGiven = Object.hasOwn(variables, name);
    if (!isInputType(type) || (!isGiven && node.defaultValue)) continue;
    for (const problem of problemsOf(variables[name], type, formatName(`$${name}`), hints)) {
      if (problems.push({ message: `Variable ${problem}`, node }) === MAX_PROBLEMS) return problems;
    }
  }
  return problems;
}

/** Yields the problems of a value, by the input coercion rules of the GraphQL specification. A generator can be stopped early. */
function* problemsOf(value: unknown, type: GraphQLInputType, at: string, hints: boolean): Generator<string> {
  const nullable = getNullableType(type);
  const mismatch = (advice = "") => `${at} must be of type \`${type}\` (got ${valueKind(value)}).${advice}`;
  if (value == null) {
    if (isNonNullType(type)) yield mismatch();
  } else if (isListType(nullable)) {
    // GraphQL coerces a value that is not a list to a list with this one item.
    if (!Array.isArray(value)) yield* problemsOf(value, nullable.ofType, at, hints);
    else {
      for (const [index, item] of value.entries()) {
        yield* problemsOf(item, nullable.ofType, appendPath(at, `[${index}]`), hints);
      }
    }
  } else if (isInputObjectType(nullable)) {
    if (typeof value === "object" && !Array.isArray(value)) yield* fieldProblems(value, nullable, at, hints);
    else yield mismatch();
  } else {
    if (!accepts(() => nullable.parseValue(value, true))) yield mismatch(describeAccepted(nullable, hints));
  }
}

function* fieldProblems(
  value: object,
  type: GraphQLInputObjectType,
  at: string,
  hints: boolean,
): Generator<string> {
  const fields = type.getFields();
  const given = value as Readonly<Record<string, unknown>>;
  for (const field of Object.values(fields)) {
    const fieldValue = given[field.name];
    if (fieldValue !== undefined || isRequiredInputField(field)) {
      yield* problemsOf(fieldValue, field.type, appendPath(at, `.${field.name}`), hints);
    }
  }
  for (const key in given) {
    if (Object.hasOwn(fields, key)) continue;
    yield `${at} has a field that \`${type}\` does not have.${suggest(key, Object.keys(fields), hints)}`;
  }
}

/** Appends a step to a path that is formatted as code. */
function appendPath(at: string, step: string): string {
  return `${at.slice(0, -1)}${step}\``;
}

/**
 * Returns whether a scalar or an enum accepts a value. The message of a thrown error is not used, since it may contain the value.
 */
function accepts(parse: () => unknown): boolean {
  try {
    return parse() !== undefined;
  } catch {
    return false;
  }
}

/**
 * Rejects an operation whose variables do not match their types. The messages of graphql-js are replaced, since they contain the
 * values.
 *
 * @param hints whether errors may suggest names of the schema
 */
export function variablesPlugin(hints: boolean): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async responseForOperation({ schema, operation, request }) {
          // The operation is undefined when the document has no operation of the requested name.
          if (!operation || coerceVariables(schema, operation, request)) return null;
          const problems = findVariableProblems(schema, operation, request.variables ?? {}, hints);
          const errors = problems.map(({ message, node }) => {
            const { locations = [] } = new GraphQLError(message, { nodes: node });
            return { message, locations, extensions: { code: "BAD_USER_INPUT", retryable: false } };
          });
          const fallback = formatError({ message: "", extensions: { code: "BAD_USER_INPUT" } }, undefined);
          return {
            http: { headers: new HeaderMap() },
            body: { kind: "single", singleResult: { errors: errors.length > 0 ? errors : [fallback] } },
          };
        },
      };
    },
  };
}
