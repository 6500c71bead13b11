import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";
import { type ErrorCode, GatewayError, isRetryable, retryAfterSeconds } from "../errors.js";
import { MASKED_LOG_TEXT, MASKED_MESSAGE } from "../graphql/format-error.js";
import { queryParameters } from "../graphql/request-limits.js";
import { contentType } from "./content-negotiation.js";

/** The content types that a browser sends for a page of another site without a CORS preflight. */
const SIMPLE_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
const PREFLIGHT_HEADERS = ["apollo-require-preflight", "x-apollo-operation-name"];

/**
 * Describes why Apollo Server rejects a request before it reads the operation. The description is derived from the request, since
 * Apollo's own messages may change.
 *
 * @param status the status that Apollo has set
 */
function describeBadRequest(request: FastifyRequest, status: number): string {
  if (status === 405) return "The method must be GET or POST.";
  if (status === 415) return "A GET request must have the content-type application/json, or none.";
  if (request.method === "GET" && !request.url.includes("?")) {
    return `This is the address of the GraphQL API. A GET request needs the parameter \`query\` and the header \`${PREFLIGHT_HEADERS[0]}\`.${browserAdvice(request.server)}`;
  }
  if (mayBeForged(request)) {
    return `A request needs the content-type application/json, or the header \`${PREFLIGHT_HEADERS[0]}\` with any value. This protects against cross-site request forgery (CSRF).`;
  }
  const problem = request.method === "GET" ? parameterProblem(request.url) : bodyProblem(request.body);
  return problem ?? "This is not a valid GraphQL request.";
}

function mayBeForged({ headers }: FastifyRequest): boolean {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  return (
    (type === undefined || SIMPLE_TYPES.includes(type)) && !PREFLIGHT_HEADERS.some((name) => headers[name])
  );
}

function bodyProblem(body: unknown): string | undefined {
  if (Array.isArray(body)) return "The body must be one JSON object, not an array. Batching is disabled.";
  if (!isJsonObject(body) || Object.keys(body).length === 0) {
    return "The body must be a JSON object with a `query`.";
  }
  const { query, operationName } = body;
  if (query && typeof query !== "string") return "`query` must be a string.";
  const notObject = ["variables", "extensions"].find((name) => !isJsonObject(body[name] ?? {}));
  if (notObject) return `\`${notObject}\` must be an object.`;
  return operationName && typeof operationName !== "string" ? "`operationName` must be a string." : undefined;
}

function parameterProblem(url: string): string | undefined {
  const parameters = queryParameters(url);
  for (const name of ["query", "operationName", "variables", "extensions"]) {
    if (parameters.getAll(name).length > 1) return `The parameter \`${name}\` must not be repeated.`;
  }
  for (const name of ["variables", "extensions"]) {
    if (!isJsonObject(parseJson(parameters.get(name) ?? "{}"))) {
      return `The parameter \`${name}\` must be a JSON object.`;
    }
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns a sentence that names the address of GraphiQL to a person in a browser, if GraphiQL is on. It starts with a space. */
function browserAdvice(server: FastifyInstance): string {
  return hasRoute(server, "GET", "/graphiql") ? " To explore the API in a browser, open /graphiql." : "";
}

function hasRoute(server: FastifyInstance, method: "GET" | "POST", url: string): boolean {
  return server.hasRoute({ method, url });
}

/**
 * Returns a sentence that helps to correct a request. It starts with a space. Only for a POST to the GraphQL API, it describes a
 * correct request: any other request may come from a person in a browser.
 */
function adviceFor({ method, server, url }: FastifyRequest): string {
  const isApi = pathOf(url) === "/graphql";
  if (isApi && method === "POST") {
    return ' Send POST /graphql with the content-type application/json and the body {"query": "…", "variables": {…}}.';
  }
  return `${isApi ? "" : " The GraphQL API is at /graphql."}${browserAdvice(server)}`;
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

const statusByCode: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  GRAPHQL_PARSE_FAILED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
};

/** Messages for requests that are rejected before GraphQL. Fastify's own messages contain parts of the request. */
const messageByCode: Readonly<Record<string, string>> = {
  ERR_INVALID_URL: "The Host header is not a valid host.",
  FST_ERR_BAD_URL: "The path cannot be decoded.",
  FST_ERR_CTP_EMPTY_JSON_BODY: "The body is empty.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The length of the body differs from the header content-length.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The body is not valid JSON.",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "The content-type is not supported.",
  NOT_ACCEPTABLE: "The header `accept` must allow application/json or application/graphql-response+json.",
  UNSUPPORTED_CHARSET:
    "The body must be in UTF-8: remove the charset from the content-type, or set it to utf-8.",
  UNSUPPORTED_ENCODING:
    "The body must not be compressed: remove the header content-encoding, or set it to identity.",
};

/** Sends the error of a request that is rejected before GraphQL, as a GraphQL response whose `errors` say what to do. */
export function sendHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // Fastify parses the URL of a request together with its Host header.
  const status = error.code === "ERR_INVALID_URL" ? 400 : (error.statusCode ?? 500);
  if (error instanceof GatewayError) {
    sendGatewayError(error, request, reply);
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const maximum = Number(reply.server.initialConfig.bodyLimit);
    const problem = `The body is larger than ${maximum} bytes (MAX_BODY_BYTES).${adviceFor(request)}`;
    sendError(
      request,
      reply,
      status,
      toFormattedError("BAD_REQUEST", problem, { limit: "MAX_BODY_BYTES", maximum }),
    );
  } else if (status >= 400 && status < 500) {
    const problem = messageByCode[error.code] ?? `The request is rejected: ${STATUS_CODES[status]}.`;
    sendBadRequest(request, reply, status, problem);
  } else {
    request.log.error({ err: error }, MASKED_LOG_TEXT);
    sendError(request, reply, status, toFormattedError("INTERNAL_SERVER_ERROR", MASKED_MESSAGE));
  }
}

function sendGatewayError(error: GatewayError, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, extensions } = error;
  if (code === "UNAUTHENTICATED") reply.header("www-authenticate", "Bearer");
  if (code === "RATE_LIMITED") reply.header("retry-after", retryAfterSeconds(extensions.retryAfterMs));
  sendError(request, reply, statusByCode[code] ?? 503, { message, extensions });
}

/** The paths of all routes that have no parameter. */
const PATHS = ["/graphql", "/graphiql", "/health/live", "/health/ready"];

/**
 * Sends a 404 with a message that names the existing addresses. The message contains the requested path only if it is one short
 * name: a longer path may contain a token.
 */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const { method, server, url } = request;
  const path = pathOf(url);
  const methods = PATHS.includes(path)
    ? (["GET", "POST"] as const).filter((each) => hasRoute(server, each, path))
    : [];
  const shown = /^\/[\w.-]{0,59}$/.test(path) ? path : "this address";
  const problem =
    methods.length > 0
      ? `${path} does not accept ${method}. Use ${methods.join(" or ")}.`
      : `No ${method === "GET" ? "page" : "resource"} at ${shown}.`;
  sendBadRequest(request, reply, 404, problem);
}

/** The status and the problem by the code of Node's error. */
const connectionProblems: Readonly<Record<string, readonly [status: number, problem: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The request line and the headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request took too long to arrive"],
};

/**
 * Sends the error for a request that is not valid HTTP. The bytes of the request are not logged, since they may contain a
 * password.
 */
export function sendMalformedHttpError({ code }: ConnectionError, socket: Socket): void {
  const [status, problem] = connectionProblems[code] ?? [400, "The request is not valid HTTP"];
  const body = JSON.stringify({ errors: [toFormattedError("BAD_REQUEST", `${problem} (${code}).`)] });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8`;
  if (socket.writable) {
    socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  }
  socket.destroy();
}

/**
 * Adds the request id to the errors of a response without an operation, and describes bad requests. Apollo Server creates these
 * responses without the context of the request.
 */
export function addRequestId(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (reply.statusCode < 400 || typeof payload !== "string" || payload.includes('"requestId"'))
    return payload;
  const { errors } = JSON.parse(payload) as { errors: GraphQLFormattedError[] };
  const errorsWithId = errors.map(({ message, extensions }) => ({
    message: extensions?.code === "BAD_REQUEST" ? describeBadRequest(request, reply.statusCode) : message,
    extensions: { ...extensions, requestId: request.id },
  }));
  return JSON.stringify({ errors: errorsWithId });
}

function sendBadRequest(request: FastifyRequest, reply: FastifyReply, status: number, problem: string): void {
  sendError(request, reply, status, toFormattedError("BAD_REQUEST", `${problem}${adviceFor(request)}`));
}

function sendError(
  { id, headers }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { message, extensions }: GraphQLFormattedError,
): void {
  // No hook has run yet for a request whose URL is invalid.
  void reply
    .code(status)
    .header("x-request-id", id)
    .type(contentType(headers.accept))
    .send(JSON.stringify({ errors: [{ message, extensions: { ...extensions, requestId: id } }] }));
}

function toFormattedError(code: ErrorCode, message: string, more: object = {}): GraphQLFormattedError {
  return { message, extensions: { code, retryable: isRetryable(code), ...more } };
}

/** Returns whether a JSON value is an object, and neither a list nor null. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
