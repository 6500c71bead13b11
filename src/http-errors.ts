import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";

/** Answers a request that failed before GraphQL saw it as GraphQL answers: with `errors` that say what to do. */
export function answerHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  // The address of a request is read with the help of its Host header.
  const status = error.code === "ERR_INVALID_URL" ? 400 : (error.statusCode ?? 500);
  const refused = status >= 400 && status < 500;
  if (!refused) request.log.error({ err: error }, "masked");
  const message = refused
    ? `${error.message}. Send POST /graphql with content-type application/json and {"query": "…", "variables": {…}}.`
    : "Something went wrong inside the gateway. Its log tells the cause under this request id.";
  const code = refused ? "BAD_REQUEST" : "INTERNAL_SERVER_ERROR";
  const errors: GraphQLFormattedError[] = [{ message, extensions: { code, retryable: false } }];
  void reply.code(status).send({ errors });
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
