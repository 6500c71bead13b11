import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type {
  ConnectionError,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
} from "fastify";
import { GatewayError } from "../errors.js";
import { MASKED_LOG_TEXT, MASKED_MESSAGE } from "../graphql/format-error.js";
import { countRejectedRequest } from "../telemetry/metrics.js";
import { JSON_TYPE, negotiateMediaType } from "./content-negotiation.js";
import { BadRequestError } from "./graphql-request.js";
import { sendGraphqlResponse } from "./graphql-response.js";

/** Returns a sentence that names the address of GraphiQL to a person in a browser, if GraphiQL is on. It starts with a space. */
function browserAdvice(server: FastifyInstance): string {
  return server.hasRoute({ method: "GET", url: "/graphiql" })
    ? " To explore the API in a browser, open /graphiql."
    : "";
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

/** Messages for requests that Fastify rejects. Fastify's own messages contain parts of the request. */
const messageByCode: Readonly<Record<string, string>> = {
  ERR_INVALID_URL: "The Host header is not a valid host.",
  FST_ERR_BAD_URL: "The path cannot be decoded.",
  FST_ERR_CTP_EMPTY_JSON_BODY: "The body is empty.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The length of the body differs from the header content-length.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The body is not valid JSON.",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "The content-type is not supported.",
};

/** Sends the error of a request that is rejected before GraphQL, as a GraphQL response whose `errors` say what to do. */
export function sendHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // Fastify parses the URL of a request together with its Host header.
  const status = error.code === "ERR_INVALID_URL" ? 400 : (error.statusCode ?? 500);
  if (error instanceof BadRequestError) {
    sendBadRequest(request, reply, error.status, error.message);
  } else if (error instanceof GatewayError) {
    sendError(request, reply, error);
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const maximum = Number(reply.server.initialConfig.bodyLimit);
    const problem = `The body is larger than ${maximum} bytes (MAX_BODY_BYTES).${adviceFor(request)}`;
    const limitError = new GatewayError("BAD_REQUEST", problem, { limit: "MAX_BODY_BYTES", maximum });
    sendError(request, reply, limitError, status);
  } else if (status >= 400 && status < 500) {
    const problem = messageByCode[error.code] ?? `The request is rejected: ${STATUS_CODES[status]}.`;
    sendBadRequest(request, reply, status, problem);
  } else {
    request.log.error({ err: error }, MASKED_LOG_TEXT);
    sendError(request, reply, new GatewayError("INTERNAL_SERVER_ERROR", MASKED_MESSAGE), status);
  }
}

/** The paths of all routes that have no parameter. */
const PATHS = ["/", "/graphql", "/graphiql", "/health/live", "/health/ready"];
const ANSWER_URL = "/answer/:token";

/**
 * Sends a 405 for an address that does not accept the method, and a 404 for any other address. The message names the existing
 * addresses. It contains the requested path only if it is one short name: a longer path may contain a token.
 */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const { method, server, url } = request;
  const path = pathOf(url);
  const route = /^\/answer\/[^/]+$/.test(path) ? ANSWER_URL : path;
  const methods = [...PATHS, ANSWER_URL].includes(route)
    ? (["GET", "HEAD", "POST"] as const).filter((each) => server.hasRoute({ method: each, url: route }))
    : [];
  if (methods.length > 0) {
    const problem =
      route === ANSWER_URL
        ? `This is an answer URL: when a call arrives, PIOPIY sends a POST request to it and gets a PCMO document. It does not accept ${method}.`
        : `${path} does not accept ${method}. Use ${methods.join(" or ")}.`;
    sendBadRequest(request, reply.header("allow", methods.join(", ")), 405, problem);
  } else {
    const shown = /^\/[\w.-]{0,59}$/.test(path) ? path : "this address";
    sendBadRequest(request, reply, 404, `No ${method === "GET" ? "page" : "resource"} at ${shown}.`);
  }
}

function sendBadRequest(request: FastifyRequest, reply: FastifyReply, status: number, problem: string): void {
  sendError(request, reply, new GatewayError("BAD_REQUEST", `${problem}${adviceFor(request)}`), status);
}

function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  { message, extensions }: GatewayError,
  status?: number,
): void {
  const error = { message, extensions: { ...extensions, requestId: request.id } };
  sendGraphqlResponse(request, reply, { errors: [error] }, status);
}

/**
 * The media type for the request in progress on a connection. Node.js reports an error of the connection without the request.
 */
const mediaTypes = new WeakMap<Socket, string>();

/** Keeps the media type of a request, for `sendMalformedHttpError`. */
export const keepMediaType: onRequestHookHandler = ({ headers, socket }, { raw }, done) => {
  mediaTypes.set(socket, negotiateMediaType(headers.accept) ?? JSON_TYPE);
  raw.once("close", () => mediaTypes.delete(socket));
  done();
};

/** Rejects a request without `Host`, which HTTP/1.1 requires. Node.js itself would respond without a body. */
export const requireHost: onRequestHookHandler = ({ headers, raw }, _reply, done) => {
  const isMissing = headers.host === undefined && raw.httpVersion === "1.1";
  done(isMissing ? new BadRequestError(400, "The request has no Host header.") : undefined);
};

/** Returns the status and the problem of an error of the connection. */
function connectionProblem({ code, rawPacket }: ConnectionError): readonly [status: number, problem: string] {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return [408, "The request took too long to arrive"];
  if (code !== "HPE_HEADER_OVERFLOW") return [400, "The request is not valid HTTP"];
  // Node.js counts the URL and the headers together, up to 16 kB. Here the URL is the larger part.
  return /^[A-Z]+ \S{8192}/.test(String(rawPacket))
    ? [414, "The URL is too long. Send the request by POST"]
    : [431, "The request line and the headers are too large"];
}

/**
 * Sends the error for a request that is not valid HTTP or incomplete. If its headers did not arrive, the media type is the one of a
 * request without `Accept`. The bytes of the request are not logged, since they may contain a password.
 */
export function sendMalformedHttpError(this: FastifyInstance, error: ConnectionError, socket: Socket): void {
  const [status, problem] = connectionProblem(error);
  // A client that closes its connection has sent no request.
  if (error.code !== "ECONNRESET") {
    this.log.info({ status, code: error.code }, "request rejected");
    countRejectedRequest({ http_response_status_code: String(status) });
  }
  const { message, extensions } = new GatewayError("BAD_REQUEST", `${problem} (${error.code}).`);
  const body = JSON.stringify({ errors: [{ message, extensions }] });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${mediaTypes.get(socket) ?? JSON_TYPE}; charset=utf-8`;
  if (socket.writable) {
    socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  }
  socket.destroy();
}
