import { type GraphQLRequest, HeaderMap } from "@apollo/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../errors.js";
import { valueKind } from "../graphql/error-messages/message-parts.js";
import { withoutAlgorithm } from "../graphql/plugins/trusted-documents.js";
import { enforceDocumentLimits, isJsonTooDeep, jsonDepthError } from "../graphql/request-limits.js";
import { negotiateMediaType } from "./content-negotiation.js";

/** A request that is rejected before GraphQL, with its HTTP status. */
export class BadRequestError extends GatewayError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super("BAD_REQUEST", message);
  }
}

/**
 * Rejects a GraphQL request by its headers: with 406 when the client accepts neither media type of a response, and with 415 when the
 * body is not JSON, is compressed or is not in UTF-8. Replaces the header `Accept` by the chosen media type.
 */
export function checkHeaders({ headers, method }: FastifyRequest, reply: FastifyReply): void {
  const mediaType = negotiateMediaType(headers.accept);
  if (!mediaType) {
    throw new BadRequestError(
      406,
      "The header `accept` must allow application/graphql-response+json or application/json.",
    );
  }
  headers.accept = mediaType;
  const [contentType, ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  const isJson = contentType?.trim() === "application/json";
  if (method === "GET") {
    if (isJson || contentType === "") return;
    throw new BadRequestError(415, "A GET request must have the content-type application/json, or none.");
  }
  if (!isJson) throw new BadRequestError(415, "The content-type must be application/json.");
  const encodings = (headers["content-encoding"] ?? "").toLowerCase().split(",");
  if (encodings.some((encoding) => !["", "identity"].includes(encoding.trim()))) {
    reply.header("accept-encoding", "identity");
    throw new BadRequestError(
      415,
      "The body must not be compressed: remove the header content-encoding, or set it to identity.",
    );
  }
  const charsets = parameters.flatMap((text) => /^\s*charset\s*=\s*"?([^\s"]*)/.exec(text)?.[1] ?? []);
  if (charsets.some((charset) => !/^utf-?8$/.test(charset))) {
    throw new BadRequestError(
      415,
      "The body must be in UTF-8: remove the charset from the content-type, or set it to utf-8.",
    );
  }
}

/**
 * Headers that a page of another site cannot send without a CORS preflight. The GraphQL over HTTP specification proposes the first
 * one, and Apollo's clients send the others.
 */
export const PREFLIGHT_HEADERS = [
  "graphql-require-preflight",
  "apollo-require-preflight",
  "x-apollo-operation-name",
] as const;

type RequestParameters = Readonly<Record<string, unknown>>;

/**
 * Reads the GraphQL request from the body of a POST request, or from the URL of a GET request. Ignores parameters that GraphQL over
 * HTTP does not define. Throws if the request is not well-formed, if it could be forged by a page of another site, or if its
 * JSON or its document exceeds a limit.
 *
 * @param maxTokens the maximum number of tokens of a document
 */
export function readGraphqlRequest(request: FastifyRequest, maxTokens: number): GraphQLRequest {
  const { body, headers, method, url } = request;
  const parameters = method === "GET" ? urlParameters(url) : bodyParameters(body);
  const query = textOf(parameters, "query");
  const documentId = textOf(parameters, "documentId");
  const operationName = textOf(parameters, "operationName");
  const variables = objectOf(parameters, "variables");
  const extensions = objectOf(parameters, "extensions");
  const persistedQuery = persistedQueryOf(documentId, extensions);
  if (query === undefined && !persistedQuery) {
    throw malformed(
      method === "GET"
        ? `This is the address of the GraphQL API. A GET request needs the parameter \`query\` and the header \`${PREFLIGHT_HEADERS[0]}\`.`
        : "The request needs a `query`, a `documentId` or the extension `persistedQuery`.",
    );
  }
  // A page cannot send a POST request with JSON, or a GET request with a content type, without a preflight.
  if (method === "GET" && !headers["content-type"] && !PREFLIGHT_HEADERS.some((name) => headers[name])) {
    throw new BadRequestError(
      400,
      `A GET request needs the header \`${PREFLIGHT_HEADERS[0]}\` with any value. This protects against cross-site request forgery (CSRF).`,
    );
  }
  if (query === "") {
    throw new GatewayError("GRAPHQL_PARSE_FAILED", "The document is empty. Send a query or a mutation.");
  }
  if (query !== undefined) enforceDocumentLimits(query, maxTokens);
  return {
    ...(query !== undefined && { query }),
    ...(operationName !== undefined && { operationName }),
    ...(variables && { variables }),
    extensions: { ...extensions, persistedQuery },
    http: { method, headers: new HeaderMap(), search: "", body: undefined },
  };
}

/** Returns the parameters of a JSON body. */
function bodyParameters(body: unknown): RequestParameters {
  if (Array.isArray(body)) {
    throw malformed("The body must be one JSON object, not a list. Batching is disabled.");
  }
  if (!isJsonObject(body)) throw malformed("The body must be a JSON object with a `query`.");
  return body;
}

const JSON_PARAMETERS = ["variables", "extensions"];

/** Returns the parameters of a URL. An optional parameter without a text is absent. */
function urlParameters(url: string): RequestParameters {
  const found = new URLSearchParams(/\?(.*)/s.exec(url)?.[1]);
  const parameters: Record<string, unknown> = {};
  for (const name of ["query", "documentId", "operationName", ...JSON_PARAMETERS]) {
    const texts = found.getAll(name);
    if (texts.length > 1) throw malformed(`The parameter \`${name}\` must not be repeated.`);
    const [text] = texts;
    if (text || name === "query") parameters[name] = JSON_PARAMETERS.includes(name) ? parseJson(text) : text;
  }
  return parameters;
}

/** Parses JSON. Returns a text that is not JSON unchanged. */
function parseJson(text = ""): unknown {
  if (isJsonTooDeep(text)) throw jsonDepthError();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(parameters: RequestParameters, name: string): string | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw malformed(`\`${name}\` must be a string (got ${valueKind(value)}).`);
}

function objectOf(parameters: RequestParameters, name: string): Record<string, unknown> | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || isJsonObject(value)) return value;
  throw malformed(`\`${name}\` must be a JSON object (got ${valueKind(value)}).`);
}

/**
 * Returns the extension of automatic persisted queries for either form of a persisted document, so that Apollo Server handles both
 * forms alike: with a `query`, it compares the hash and registers the document.
 */
function persistedQueryOf(documentId: string | undefined, extensions: RequestParameters = {}) {
  const persistedQuery = objectOf(extensions, "persistedQuery");
  if (documentId !== undefined && persistedQuery) {
    throw malformed("Send either `documentId` or the extension `persistedQuery`, not both.");
  }
  if (documentId !== undefined) {
    return { version: 1, sha256Hash: withoutAlgorithm(documentId), isDocumentId: true };
  }
  if (!persistedQuery) return undefined;
  const { version, sha256Hash } = persistedQuery;
  if (version !== 1) throw malformed("`extensions.persistedQuery.version` must be 1.");
  if (typeof sha256Hash !== "string") {
    throw malformed(
      `\`extensions.persistedQuery.sha256Hash\` must be a string (got ${valueKind(sha256Hash)}).`,
    );
  }
  return { version, sha256Hash };
}

function malformed(problem: string): BadRequestError {
  return new BadRequestError(422, problem);
}

/** Returns whether a JSON value is an object, and neither a list nor null. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
