import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { truncate } from "../format-value.js";
import type { OperationSummary } from "../graphql/context.js";
import {
  countCacheResult,
  countError,
  countLimitRejection,
  countRejectedRequest,
  observeOperation,
} from "../telemetry/metrics.js";
import type { OperationNames } from "../telemetry/operation-names.js";
import { endOperation, startOperation, traceFields } from "../telemetry/tracing.js";

/** Matches the URL of a request to the GraphQL API, which has a span. */
const GRAPHQL_URL = /^\/graphql(?:\?|$)/;
const CLIENT_HEADERS = {
  name: ["apollographql-client-name", "graphql-client-name"],
  version: ["apollographql-client-version", "graphql-client-version"],
} as const;
/** The audit log has an entry for each of these errors of a request that was refused before its client was known. */
const AUDITED: readonly unknown[] = ["UNAUTHENTICATED", "RATE_LIMITED", "FORBIDDEN"];

/** The log level of each outcome of an operation or a rejected request. */
const LEVELS = {
  ok: "info",
  client_error: "info",
  aborted: "info",
  stale: "warn",
  upstream_error: "warn",
  internal_error: "error",
} as const;

/**
 * Logs and counts each operation, and each request that is rejected before GraphQL, with one entry. The audit entry of a refused
 * login or host counts as its entry. Requests for pages and health are not logged. Each operation and each rejected request to
 * `/graphql` is also a span.
 */
export function addRequestLog(server: FastifyInstance, names: OperationNames): void {
  server.decorateRequest("operation");
  server.decorateRequest("reported");
  server.decorateRequest("trace");
  server.addHook("onRequest", (request, _reply, done) => {
    const { headers, id, log, method, url } = request;
    if (GRAPHQL_URL.test(url)) {
      request.trace = startOperation(method, id, headers);
      const fields = traceFields(request.trace);
      if (fields.trace_id) request.log = log.child(fields);
    }
    done();
  });
  server.addHook("onSend", (request, reply, _payload, done) => {
    logRequest(request, reply, names);
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply, names: OperationNames): void {
  const { client, operation, reported = [], log, method, routeOptions, trace } = request;
  const { statusCode: status } = reply;
  const isProbe = routeOptions.url?.startsWith("/health/");
  if (!operation && (status < 400 || isProbe)) return;
  // A mutation of many endpoints returns failures as data. They count as errors too.
  const failures = operation?.failures ? Object.entries(operation.failures) : [];
  const codes = [...reported.map(({ code }) => String(code)), ...failures.map(([code]) => code)];
  // The client has closed the connection before the response.
  const aborted = reply.raw.destroyed || undefined;
  const outcome = outcomeOf(codes, aborted, operation);
  if (operation) {
    const labels = {
      graphql_operation_name: names.labelOf(operation.operationName),
      graphql_operation_type: operation.operation ?? "unknown",
      outcome,
    };
    observeOperation(labels, reply.elapsedTime);
    if (operation.cache) countCacheResult({ result: operation.cache });
  } else {
    countRejectedRequest({ http_response_status_code: String(status) });
  }
  for (const { code } of reported) countError({ code: String(code) });
  for (const [code, times] of failures) countError({ code }, times);
  const isAudited = !client && codes.some((code) => AUDITED.includes(code));
  const limit = reported.map(limitOf).find((setting) => setting !== undefined);
  if (limit && !isAudited) countLimitRejection({ limit });
  // Each field is listed: V8 takes several microseconds to spread an object into a literal with other fields.
  const entry = {
    who: client?.name,
    clientName: clientHeader(request, "name"),
    clientVersion: clientHeader(request, "version"),
    method: operation ? undefined : method,
    route: operation ? undefined : routeOptions.url,
    operation: operation?.operation,
    operationName: operation?.operationName,
    documentHash: operation?.documentHash,
    cost: operation?.cost,
    cache: operation?.cache,
    cachedResponse: operation?.cachedResponse,
    upstreamRequests: operation?.upstreamRequests,
    upstreamMs: operation?.upstreamMs,
    retries: operation?.retries,
    failures: operation?.failures,
    durationMs: Math.round(reply.elapsedTime),
    status,
    codes: codes.length > 0 ? codes : undefined,
    limit,
    aborted,
  };
  // The span of a page is never ended, so it is not exported.
  if (trace) endOperation(trace, entry, aborted ? undefined : codes.find(isFailure));
  if (isAudited) return;
  log[LEVELS[outcome]](entry, operation ? "request completed" : "request rejected");
}

/** Returns the name or the version that a client sends about itself, in a header of Apollo's clients or in a common one. */
function clientHeader({ headers }: FastifyRequest, suffix: keyof typeof CLIENT_HEADERS): string | undefined {
  const [apollo, common] = CLIENT_HEADERS[suffix];
  const value = headers[apollo] || headers[common];
  return typeof value === "string" ? truncate(value) : undefined;
}

/** Returns the setting of the limit that an error reports. */
function limitOf({ code, limit }: Readonly<Record<string, unknown>>): string | undefined {
  if (limit !== undefined) return String(limit);
  return code === "RATE_LIMITED" ? "RATE_LIMIT_PER_MINUTE" : undefined;
}

function outcomeOf(
  codes: readonly string[],
  aborted: true | undefined,
  operation: OperationSummary | undefined,
): keyof typeof LEVELS {
  if (codes.includes("INTERNAL_SERVER_ERROR")) return "internal_error";
  // The errors of an operation that its client has aborted are not errors of PIOPIY.
  if (aborted) return "aborted";
  if (codes.some(isFailure)) return "upstream_error";
  if (operation?.cache === "stale") return "stale";
  return codes.length > 0 ? "client_error" : "ok";
}

/** Returns whether an error is a failure of PIOPIY or of the gateway, which a client cannot correct. */
function isFailure(code: string): boolean {
  return code === "INTERNAL_SERVER_ERROR" || code === "OUTCOME_UNKNOWN" || code.startsWith("UPSTREAM_");
}
