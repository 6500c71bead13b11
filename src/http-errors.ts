import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";
import { type ErrorCode, GatewayError, isRetryable, retryAfterSeconds } from "./errors.js";

const HINT = 'Send POST /graphql with content-type application/json and {"query": "…", "variables": {…}}.';

const statusByCode: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
};

/** Answers a request that failed before GraphQL saw it as GraphQL answers: with `errors` that say what to do. */
export function answerHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // The address of a request is read with the help of its Host header.
  const noHost = error.code === "ERR_INVALID_URL";
  const status = noHost ? 400 : (error.statusCode ?? 500);
  if (error instanceof GatewayError) {
    answerGatewayError(error, request, reply);
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const maximum = Number(reply.server.initialConfig.bodyLimit);
    const problem = `The body is larger than ${maximum} bytes (MAX_BODY_BYTES). ${HINT}`;
    answer(request, reply, status, failure("BAD_REQUEST", problem, { limit: "MAX_BODY_BYTES", maximum }));
  } else if (status >= 400 && status < 500) {
    refuse(request, reply, status, noHost ? "The Host header names no host." : `${error.message}.`);
  } else {
    request.log.error({ err: error }, "masked");
    const message = "Something went wrong inside the gateway. Its log tells the cause under this request id.";
    answer(request, reply, status, failure("INTERNAL_SERVER_ERROR", message));
  }
}

function answerGatewayError(error: GatewayError, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, extensions } = error;
  if (code === "UNAUTHENTICATED") reply.header("www-authenticate", "Bearer");
  if (code === "RATE_LIMITED") reply.header("retry-after", retryAfterSeconds(extensions.retryAfterMs));
  answer(request, reply, statusByCode[code] ?? 503, { message, extensions });
}

/** Answers a request for what is not there. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  refuse(request, reply, 404, `There is no ${request.method} ${request.url.split("?", 1)[0]} here.`);
}

/** Answers what is not HTTP. It is not logged, since its bytes may hold a password. */
export function answerBrokenHttp({ code }: ConnectionError, socket: Socket): void {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code] ?? 400;
  const problem = `This is not HTTP that the gateway can read (${code}). ${HINT}`;
  const body = JSON.stringify({ errors: [failure("BAD_REQUEST", problem)] });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8`;
  if (socket.writable) {
    socket.write(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  }
  socket.destroy();
}

/**
 * Writes the request id into the errors of an answer that no operation led to. Apollo makes such an answer
 * without knowing the request.
 */
export function tellRequestId(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (reply.statusCode < 400 || typeof payload !== "string" || payload.includes('"requestId"'))
    return payload;
  const { errors } = JSON.parse(payload) as { errors: GraphQLFormattedError[] };
  const told = errors.map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId: request.id },
  }));
  return JSON.stringify({ errors: told });
}

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, problem: string): void {
  answer(request, reply, status, failure("BAD_REQUEST", `${problem} ${HINT}`));
}

function answer(
  { id }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { message, extensions }: GraphQLFormattedError,
): void {
  // No hook has run yet for a request whose address cannot be read.
  void reply
    .code(status)
    .header("x-request-id", id)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ errors: [{ message, extensions: { ...extensions, requestId: id } }] }));
}

function failure(code: ErrorCode, message: string, more: object = {}): GraphQLFormattedError {
  return { message, extensions: { code, retryable: isRetryable(code), ...more } };
}
