import type { Context as TraceContext } from "@opentelemetry/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { truncate } from "../format-value.js";
import type { OperationSummary } from "../graphql/context.js";
import { endOperation, startOperation, traceFields } from "../telemetry/tracing.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Set when an operation has been executed, or its response has been found in the cache. */
    operation: OperationSummary | undefined;
    /** The `extensions` of the errors in the response. */
    reported: readonly Readonly<Record<string, unknown>>[];
    /** The context of the span of a request to `/graphql`. */
    trace: TraceContext | undefined;
  }
}

/** Matches the URL of a request to the GraphQL API, which has a span. */
const GRAPHQL_URL = /^\/graphql(?:\?|$)/;
const CLIENT_HEADERS = ["apollographql-client", "graphql-client"];
/** The audit log has an entry for each of these errors of a request that was refused before its client was known. */
const AUDITED: readonly unknown[] = ["UNAUTHENTICATED", "RATE_LIMITED", "FORBIDDEN"];

/**
 * Writes one log entry for each operation, and for each request that is rejected before GraphQL. The audit entry of a refused
 * login or host counts as its entry. Requests for pages and health are not logged. Each operation and each rejected request to
 * `/graphql` is also a span.
 */
export function addRequestLog(server: FastifyInstance): void {
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
    logRequest(request, reply);
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { client, operation, reported = [], log, method, routeOptions, trace } = request;
  const { statusCode: status } = reply;
  const isProbe = routeOptions.url?.startsWith("/health/");
  if (!operation && (status < 400 || isProbe)) return;
  const codes = reported.map(({ code }) => code);
  const entry = {
    who: client?.name,
    ...clientOf(request),
    ...(operation ?? { method, route: routeOptions.url }),
    durationMs: Math.round(reply.elapsedTime),
    status,
    codes: codes.length > 0 ? codes : undefined,
    limit: reported.map(limitOf).find((limit) => limit !== undefined),
    // The client has closed the connection before the response.
    aborted: reply.raw.destroyed || undefined,
  };
  // The span of a page is never ended, so it is not exported.
  if (trace) endOperation(trace, entry, codes.find(isFailure));
  if (!client && codes.some((code) => AUDITED.includes(code))) return;
  log[levelOf(codes, operation)](entry, operation ? "request completed" : "request rejected");
}

/** Returns the name and the version that a client sends about itself, in the headers of Apollo's clients or in common ones. */
function clientOf({
  headers,
}: FastifyRequest): Readonly<Record<"clientName" | "clientVersion", string | undefined>> {
  const read = (suffix: string) => {
    const value = CLIENT_HEADERS.map((prefix) => headers[`${prefix}-${suffix}`]).find(Boolean);
    return typeof value === "string" ? truncate(value) : undefined;
  };
  return { clientName: read("name"), clientVersion: read("version") };
}

/** Returns the setting of the limit that an error reports. */
function limitOf({ code, limit }: Readonly<Record<string, unknown>>): unknown {
  return limit ?? (code === "RATE_LIMITED" ? "RATE_LIMIT_PER_MINUTE" : undefined);
}

/** Returns `error` for an unexpected error, `warn` when PIOPIY has failed, and `info` for everything that a client can correct. */
function levelOf(
  codes: readonly unknown[],
  operation: OperationSummary | undefined,
): "info" | "warn" | "error" {
  if (codes.includes("INTERNAL_SERVER_ERROR")) return "error";
  return codes.some(isFailure) || operation?.cache === "stale" ? "warn" : "info";
}

/** Returns whether an error is a failure of PIOPIY or of the gateway, which a client cannot correct. */
function isFailure(code: unknown): boolean {
  return (
    code === "INTERNAL_SERVER_ERROR" || code === "OUTCOME_UNKNOWN" || String(code).startsWith("UPSTREAM_")
  );
}
