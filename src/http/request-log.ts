import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { truncate } from "../format-value.js";
import type { OperationSummary } from "../graphql/context.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Set when an operation has been executed, or its response has been found in the cache. */
    operation: OperationSummary | undefined;
    /** The `extensions` of the errors in the response. */
    reported: readonly Readonly<Record<string, unknown>>[];
  }
}

const CLIENT_HEADERS = ["apollographql-client", "graphql-client"];
/** The audit log has an entry for each of these errors of a request that was refused before its client was known. */
const AUDITED: readonly unknown[] = ["UNAUTHENTICATED", "RATE_LIMITED", "FORBIDDEN"];

/**
 * Writes one log entry for each operation, and for each request that is rejected before GraphQL. The audit entry of a refused
 * login or host counts as its entry. Requests for pages and health are not logged.
 */
export function addRequestLog(server: FastifyInstance): void {
  server.decorateRequest("operation");
  server.decorateRequest("reported");
  server.addHook("onSend", (request, reply, _payload, done) => {
    logRequest(request, reply);
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { client, operation, reported = [], log, method, routeOptions } = request;
  const { statusCode: status } = reply;
  const isProbe = routeOptions.url?.startsWith("/health/");
  if (!operation && (status < 400 || isProbe)) return;
  const codes = reported.map(({ code }) => code);
  if (!client && codes.some((code) => AUDITED.includes(code))) return;
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
  const isUpstream = codes.some((code) => code === "OUTCOME_UNKNOWN" || String(code).startsWith("UPSTREAM_"));
  return isUpstream || operation?.cache === "stale" ? "warn" : "info";
}
