import type { BaseContext, GraphQLRequestContext } from "@apollo/server";
import {
  BREAK,
  GraphQLError,
  type GraphQLFormattedError,
  isValueNode,
  Kind,
  TypeInfo,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { gatewayErrorIn } from "../format-error.js";
import { formatName } from "./message-parts.js";
import { describeSyntaxError } from "./syntax-errors.js";
import { describeValidationErrors } from "./validation-errors.js";

/** The settings that messages depend on. */
export interface MessageSettings {
  readonly introspection: boolean;
  readonly maxTokens: number;
}

/**
 * Replaces the messages of errors of graphql-js and Apollo Server, which hold values, by messages that describe the structure
 * of the request.
 *
 * @param formatted the same errors as they would be sent
 */
export function replaceMessages(
  formatted: readonly GraphQLFormattedError[],
  context: GraphQLRequestContext<BaseContext>,
  settings: MessageSettings,
): readonly GraphQLFormattedError[] {
  const { document, schema, errors = [] } = context;
  const isLibraryError = errors.every((error) => !gatewayErrorIn(error));
  if (document && isLibraryError && errors[0]?.extensions.code === "GRAPHQL_VALIDATION_FAILED") {
    const problems = describeValidationErrors(schema, document, settings.introspection);
    return problems.length > 0 ? problems : formatted;
  }
  return formatted.map((error, index) => {
    const thrown = errors[index];
    if (!thrown || gatewayErrorIn(thrown)) return error;
    const { message = error.message, ...more } = describeLibraryError(thrown, context, settings);
    return { ...error, message, extensions: { ...error.extensions, ...more } };
  });
}

function describeLibraryError(
  error: GraphQLError,
  context: GraphQLRequestContext<BaseContext>,
  { maxTokens }: MessageSettings,
): { readonly message?: string | undefined } {
  switch (error.extensions.code) {
    case "GRAPHQL_PARSE_FAILED":
      return describeSyntaxError(error, maxTokens);
    case "OPERATION_RESOLUTION_FAILURE":
      return { message: describeMissingOperation(context) };
    case "BAD_USER_INPUT":
      return { message: describeArgumentError(error, context) };
    case "BAD_REQUEST":
      return { message: describeBadRequest(context) };
    default:
      return {};
  }
}

function describeMissingOperation({ document, request }: GraphQLRequestContext<BaseContext>): string {
  const count = document?.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length ?? 0;
  if (count === 0) return "The document has no operation. Add a query or a mutation.";
  return request.operationName
    ? "The document has no operation of the name in `operationName`."
    : `The document has ${count} operations. Name the one to run in \`operationName\`.`;
}

/** Describes why Apollo Server rejects a request that is well-formed as HTTP. */
function describeBadRequest({
  request,
  operation,
  schema,
}: GraphQLRequestContext<BaseContext>): string | undefined {
  if (operation && !schema.getRootType(operation.operation)) {
    return "The schema has no subscriptions. Send a query or a mutation.";
  }
  if (operation) return "A GET request can only run a query. Send a mutation by POST.";
  const { persistedQuery } = request.extensions ?? {};
  if (!persistedQuery) return "The request needs a non-empty `query`, or the extension `persistedQuery`.";
  return persistedQuery.version === 1
    ? "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`."
    : "`extensions.persistedQuery.version` must be 1.";
}

/** Describes an argument with an invalid variable. While an operation runs, graphql-js rejects no other values. */
function describeArgumentError(
  error: GraphQLError,
  { schema, document }: GraphQLRequestContext<BaseContext>,
): string | undefined {
  const node = rejectedValue(error);
  if (!node || !document) return undefined;
  const types = new TypeInfo(schema);
  let message: string | undefined;
  const visitor = {
    Argument(argument: { readonly value: ValueNode }) {
      if (argument.value !== node) return undefined;
      const owner = types.getDirective() ? `@${types.getDirective()?.name}` : types.getFieldDef()?.name;
      const known = types.getArgument();
      const place = node.kind === Kind.VARIABLE ? formatName(`$${node.name.value}`) : "a variable in it";
      message = `\`${known?.name}\` of \`${owner}\` must be of type \`${known?.type}\`, and ${place} is null or missing.`;
      return BREAK;
    },
  };
  visit(document, visitWithTypeInfo(types, visitor));
  return message;
}

/** Returns the value in the document that graphql-js rejected while it ran the operation, if the error is about one. */
export function rejectedValue(error: GraphQLError): ValueNode | undefined {
  const { nodes } = error.originalError instanceof GraphQLError ? error.originalError : error;
  const [node] = nodes ?? [];
  return node && isValueNode(node) ? node : undefined;
}
