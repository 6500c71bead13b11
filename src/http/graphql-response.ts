import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FormattedExecutionResult, GraphQLFormattedError } from "graphql";
import { type ErrorCode, retryAfterSeconds } from "../errors.js";
import { JSON_TYPE, negotiateMediaType } from "./content-negotiation.js";
import { isVisit, sendPage, toHtml } from "./page.js";

/** The status of a response without `data`, by the code of its errors. A response with another code has 500. */
const statusByCode: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 422,
  BAD_USER_INPUT: 422,
  DOCUMENT_NOT_TRUSTED: 403,
  FORBIDDEN: 403,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 422,
  OPERATION_RESOLUTION_FAILURE: 422,
  PERSISTED_QUERY_NOT_FOUND: 422,
  RATE_LIMITED: 429,
  UNAUTHENTICATED: 401,
  UPSTREAM_UNAVAILABLE: 503,
};

const PARTIAL_SUCCESS = 294;

/** Returns the status of a response without `data`, by its first error. */
function statusOf({ code, retryAfterMs }: GraphQLFormattedError["extensions"] & object): number {
  // Clients repeat a request after 429. An operation that costs more than a whole minute allows never succeeds.
  if (code === "RATE_LIMITED" && retryAfterMs === undefined) return 422;
  return statusByCode[code as ErrorCode] ?? 500;
}

/**
 * Sends a GraphQL response in the media type that the client accepts, with the status of the GraphQL over HTTP specification
 * (September 2026). A response with `data` and errors has 294, which the specification defines for its own media type only. If the
 * request is beyond the rate limit and its cost is not known, because it is not an operation, sends the error of the rate limit.
 * A person in a browser gets errors as a page.
 *
 * @param status the status of a request that HTTP itself rejects, such as 405; otherwise the errors decide
 */
export function sendGraphqlResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  { data, errors, extensions }: FormattedExecutionResult,
  status?: number,
): FastifyReply {
  const { headers, id, refusal } = request;
  if (refusal) {
    request.refusal = undefined;
    const error = { message: refusal.message, extensions: { ...refusal.extensions, requestId: id } };
    return sendGraphqlResponse(request, reply, { errors: [error] });
  }
  request.reported = errors?.map(({ extensions: details }) => details ?? {}) ?? [];
  const details = errors?.[0]?.extensions ?? {};
  const mediaType = negotiateMediaType(headers.accept) ?? JSON_TYPE;
  const isPartial = data !== undefined && errors !== undefined && mediaType !== JSON_TYPE;
  if (data !== undefined) reply.code(isPartial ? PARTIAL_SUCCESS : 200);
  else reply.code(status ?? statusOf(details));
  // Node.js has no text for this status.
  if (isPartial) reply.raw.statusMessage = "Partial Success";
  if (reply.statusCode === 401) reply.header("www-authenticate", "Bearer");
  if (data === undefined && details.retryAfterMs !== undefined) {
    reply.header("retry-after", retryAfterSeconds(details.retryAfterMs));
  }
  // No hook has set the request id yet for a request whose URL is invalid.
  reply.header("x-request-id", id);
  if (data === undefined && isVisit(request)) {
    const title = STATUS_CODES[reply.statusCode] ?? "Error";
    return sendPage(request, reply, title, `<p>${toHtml(errors?.[0]?.message ?? "")}</p>`);
  }
  return reply.type(`${mediaType}; charset=utf-8`).send(`${JSON.stringify({ errors, data, extensions })}\n`);
}
