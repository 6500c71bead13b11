import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";

const HINT = 'Send POST /graphql with content-type application/json and {"query": "…", "variables": {…}}.';

/** Answers a request that failed before GraphQL saw it as GraphQL answers: with `errors` that say what to do. */
export function answerHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // The address of a request is read with the help of its Host header.
  const noHost = error.code === "ERR_INVALID_URL";
  const status = noHost ? 400 : (error.statusCode ?? 500);
  if (status >= 400 && status < 500) {
    refuse(request, reply, status, noHost ? "The Host header names no host." : `${error.message}.`);
  } else {
    request.log.error({ err: error }, "masked");
    const message = "Something went wrong inside the gateway. Its log tells the cause under this request id.";
    answer(request, reply, status, "INTERNAL_SERVER_ERROR", message);
  }
}

/** Answers a request for what is not there. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  refuse(request, reply, 404, `There is no ${request.method} ${request.url.split("?", 1)[0]} here.`);
}

/** Answers what is not HTTP. It is not logged, since its bytes may hold a password. */
export function answerBrokenHttp({ code }: ConnectionError, socket: Socket): void {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code] ?? 400;
  const body = tell("BAD_REQUEST", `This is not HTTP that the gateway can read (${code}). ${HINT}`);
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
  answer(request, reply, status, "BAD_REQUEST", `${problem} ${HINT}`);
}

function answer(
  { id }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  message: string,
): void {
  // No hook has run yet for a request whose address cannot be read.
  void reply
    .code(status)
    .header("x-request-id", id)
    .type("application/json; charset=utf-8")
    .send(tell(code, message, id));
}

function tell(code: string, message: string, requestId?: string): string {
  const errors: GraphQLFormattedError[] = [{ message, extensions: { code, retryable: false, requestId } }];
  return JSON.stringify({ errors });
}
