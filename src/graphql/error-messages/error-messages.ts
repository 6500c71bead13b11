import type { BaseContext, GraphQLRequest, GraphQLRequestContext } from "@apollo/server";
import {
  BREAK,
  GraphQLError,
  type GraphQLFormattedError,
  getLocation,
  isValueNode,
  Kind,
  Lexer,
  type Token,
  TokenKind,
  TypeInfo,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { gatewayErrorIn } from "../format-error.js";
import { formatName } from "./message-parts.js";
import { describeValidationErrors } from "./validation-errors.js";

/** A problem in the text of a GraphQL document. If the document exceeds a limit, the problem names the limit. */
export interface SyntaxProblem {
  readonly message: string;
  readonly limit?: string;
  readonly maximum?: number;
}

/**
 * Describes a syntax error by the token at its position. For strings, numbers and names in parentheses, the message contains only
 * the kind of the token, since the token may be a value.
 */
function describeSyntaxError({ source, positions }: GraphQLError, maxTokens: number): SyntaxProblem {
  const position = positions?.[0];
  if (!source || position === undefined) {
    return { message: "The document is nested too deeply to be parsed. Send a document with fewer levels." };
  }
  const { line, column } = getLocation(source, position);
  const lexer = new Lexer(source);
  let parentheses = 0;
  const unexpected = (what: string) => ({
    message: `Syntax error in the document: unexpected ${what} at line ${line}, column ${column}.`,
  });
  for (let count = 1; ; count++) {
    const token = nextToken(lexer);
    if (!token) return unexpected("character, or incomplete string or number,");
    if (token.start >= position && count > maxTokens) {
      const message = `The document has more than ${maxTokens} tokens, which is the maximum (MAX_TOKENS). Send a smaller document.`;
      return { message, limit: "MAX_TOKENS", maximum: maxTokens };
    }
    if (token.start >= position || token.kind === TokenKind.EOF)
      return unexpected(describeToken(token, parentheses));
    if (token.kind === TokenKind.PAREN_L) parentheses++;
    if (token.kind === TokenKind.PAREN_R) parentheses--;
  }
}

/** Returns the next token, or undefined if the rest of the text does not start with a valid token. */
function nextToken(lexer: Lexer): Token | undefined {
  try {
    return lexer.advance();
  } catch {
    return undefined;
  }
}

function describeToken({ kind, value }: Token, parentheses: number): string {
  switch (kind) {
    case TokenKind.EOF:
      return "end of the document";
    case TokenKind.NAME:
      return parentheses > 0 ? "name" : `name ${formatName(value)}`;
    case TokenKind.STRING:
    case TokenKind.BLOCK_STRING:
      return "string";
    case TokenKind.INT:
    case TokenKind.FLOAT:
      return "number";
    default:
      return `\`${kind}\``;
  }
}

/** The settings that the messages depend on. */
export interface MessageSettings {
  readonly introspection: boolean;
  readonly maxTokens: number;
}

/**
 * Replaces the error messages of graphql-js and Apollo Server, because they contain values of the request. The new messages describe
 * only the structure of the request.
 *
 * @param formatted the errors of the context, as `formatError` has formatted them
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

const UNKNOWN_DOCUMENT =
  "The gateway has no document with this `documentId`. Send the document in `query` too, or ask the operator of the gateway to add it to TRUSTED_DOCUMENTS_FILE.";

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
    case "PERSISTED_QUERY_NOT_FOUND":
      return isByDocumentId(context.request) ? { message: UNKNOWN_DOCUMENT } : {};
    default:
      return {};
  }
}

function describeMissingOperation({ document, request }: GraphQLRequestContext<BaseContext>): string {
  const count = document?.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length ?? 0;
  if (count === 0) return "The document has no operation. Add a query or a mutation.";
  return request.operationName !== undefined
    ? "The document has no operation of the name in `operationName`."
    : `The document has ${count} operations. Set \`operationName\` to the name of the operation to execute.`;
}

/** Describes why Apollo Server rejects a request that is well-formed. */
function describeBadRequest({ request, operation }: GraphQLRequestContext<BaseContext>): string {
  if (operation) return "A GET request can only run a query. Send a mutation by POST.";
  return isByDocumentId(request)
    ? "`documentId` is not the SHA-256 of `query`."
    : "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`.";
}

/** Returns whether the request has a `documentId`, and not Apollo's form of a persisted document. */
function isByDocumentId({ extensions }: GraphQLRequest): boolean {
  return extensions?.persistedQuery?.isDocumentId === true;
}

/** Describes an argument with an invalid variable. During execution, graphql-js rejects only such arguments. */
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
      message = `\`${known?.name}\` of \`${owner}\` must be of type \`${known?.type}\`, but ${place} is null or missing.`;
      return BREAK;
    },
  };
  visit(document, visitWithTypeInfo(types, visitor));
  return message;
}

/** Returns the value in the document that graphql-js rejected during the execution, or undefined for another error. */
export function rejectedValue(error: GraphQLError): ValueNode | undefined {
  const { nodes } = error.originalError instanceof GraphQLError ? error.originalError : error;
  const [node] = nodes ?? [];
  return node && isValueNode(node) ? node : undefined;
}
