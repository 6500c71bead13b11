import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";
import { type ErrorCode, GatewayError, isRetryable, retryAfterSeconds } from "../errors.js";
import { queryParameters } from "../graphql/request-limits.js";
import { contentType } from "./content-negotiation.js";

/** The types that a page of another site can send without the browser's asking first. */
const SIMPLE_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
const PREFLIGHT_HEADERS = ["apollo-require-preflight", "x-apollo-operation-name"];

/**
 * Describes why Apollo Server rejects a request before it reads the operation, by the request: Apollo's messages are not
 * the gateway's.
 *
 * @param status the status that Apollo gave the response
 */
function describeBadRequest(request: FastifyRequest, status: number): string {
  if (status === 405) return "A request must be a GET or a POST.";
  if (status === 415) return "A GET request must have the content-type application/json, or none.";
  if (mayBeForged(request)) {
    return `A request that another site's page could send needs the header \`${PREFLIGHT_HEADERS[0]}\` with any value, or the content-type application/json.`;
  }
  const problem = request.method === "GET" ? parameterProblem(request.url) : bodyProblem(request.body);
  return problem ?? "This is not a GraphQL request that the gateway can run.";
}

function mayBeForged({ headers }: FastifyRequest): boolean {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  return (
    (type === undefined || SIMPLE_TYPES.includes(type)) && !PREFLIGHT_HEADERS.some((name) => headers[name])
  );
}

function bodyProblem(body: unknown): string | undefined {
  if (Array.isArray(body)) return "The body must be one operation. Batching is disabled.";
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
    if (parameters.getAll(name).length > 1) return `The parameter \`${name}\` may be given once.`;
  }
  for (const name of ["variables", "extensions"]) {
    if (!isJsonObject(parseJson(parameters.get(name) ?? "{}"))) {
      return `The parameter \`${name}\` must be an object in JSON.`;
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

const ADVICE = 'Send POST /graphql with content-type application/json and {"query": "…", "variables": {…}}.';

const statusByCode: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  GRAPHQL_PARSE_FAILED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
};

/** Messages for requests that are rejected before GraphQL. Fastify's own messages repeat what the client sent. */
const messageByCode: Readonly<Record<string, string>> = {
  ERR_INVALID_URL: "The Host header names no host.",
  FST_ERR_BAD_URL: "The path cannot be decoded.",
  FST_ERR_CTP_EMPTY_JSON_BODY: "The body is empty.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The body has another length than the header content-length says.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The body is not valid JSON.",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "The content-type is none that the gateway reads.",
  NOT_ACCEPTABLE: "The header `accept` must allow application/json or application/graphql-response+json.",
  UNSUPPORTED_CHARSET:
    "The body must be in UTF-8: leave the charset out of the content-type, or set it to utf-8.",
  UNSUPPORTED_ENCODING:
    "The body must not be compressed: send it without content-encoding, or with identity.",
};

/** Sends a request's error from before GraphQL as a GraphQL response, whose `errors` say what to do. */
export function sendHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // The address of a request is read with the help of its Host header.
  const status = error.code === "ERR_INVALID_URL" ? 400 : (error.statusCode ?? 500);
  if (error instanceof GatewayError) {
    sendGatewayError(error, request, reply);
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const maximum = Number(reply.server.initialConfig.bodyLimit);
    const problem = `The body is larger than ${maximum} bytes (MAX_BODY_BYTES). ${ADVICE}`;
    sendError(
      request,
      reply,
      status,
      toFormattedError("BAD_REQUEST", problem, { limit: "MAX_BODY_BYTES", maximum }),
    );
  } else if (status >= 400 && status < 500) {
    const problem = messageByCode[error.code] ?? `The request is refused: ${STATUS_CODES[status]}.`;
    sendBadRequest(request, reply, status, problem);
  } else {
    request.log.error({ err: error }, "masked");
    const message = "Something went wrong inside the gateway. Its log tells the cause under this request id.";
    sendError(request, reply, status, toFormattedError("INTERNAL_SERVER_ERROR", message));
  }
}

function sendGatewayError(error: GatewayError, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, extensions } = error;
  if (code === "UNAUTHENTICATED") reply.header("www-authenticate", "Bearer");
  if (code === "RATE_LIMITED") reply.header("retry-after", retryAfterSeconds(extensions.retryAfterMs));
  sendError(request, reply, statusByCode[code] ?? 503, { message, extensions });
}

/** Sends a 404. The message repeats the path if it is one short name: a longer one may hold a token. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const [path] = /^\/[\w.-]{0,59}(?=\?|$)/.exec(request.url) ?? [];
  sendBadRequest(
    request,
    reply,
    404,
    `There is no ${request.method} ${path ? `${path} here` : "at this path"}.`,
  );
}

/** Sends the error for bytes that are not HTTP. They are not logged, since they may hold a password. */
export function sendMalformedHttpError({ code }: ConnectionError, socket: Socket): void {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code] ?? 400;
  const problem = `This is not HTTP that the gateway can read (${code}). ${ADVICE}`;
  const body = JSON.stringify({ errors: [toFormattedError("BAD_REQUEST", problem)] });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8`;
  if (socket.writable) {
    socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  }
  socket.destroy();
}

/**
 * Adds the request id to the errors of a response without an operation, and describes bad requests. Apollo Server creates such
 * responses without the request.
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
  sendError(request, reply, status, toFormattedError("BAD_REQUEST", `${problem} ${ADVICE}`));
}

function sendError(
  { id, headers }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { message, extensions }: GraphQLFormattedError,
): void {
  // No hook has run yet for a request whose address cannot be read.
  void reply
    .code(status)
    .header("x-request-id", id)
    .type(contentType(headers.accept))
    .send(JSON.stringify({ errors: [{ message, extensions: { ...extensions, requestId: id } }] }));
}

function toFormattedError(code: ErrorCode, message: string, more: object = {}): GraphQLFormattedError {
  return { message, extensions: { code, retryable: isRetryable(code), ...more } };
}

/** Returns whether a JSON value is an object: neither a list nor null. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
