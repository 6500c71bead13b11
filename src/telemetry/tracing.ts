import type { IncomingHttpHeaders } from "node:http";
import {
  type Attributes,
  type AttributeValue,
  type Context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/** Identifies a span in log entries. Empty without tracing. */
export interface TraceFields {
  readonly trace_id?: string;
  readonly span_id?: string;
}

/** Its spans do nothing until `TraceExport` registers the SDK. */
const tracer = trace.getTracer("piopiy-graphql-gateway");
const SERVER = { kind: SpanKind.SERVER };
const CLIENT = { kind: SpanKind.CLIENT };
/** The attribute of an operation's span for each field of its log entry. */
const ATTRIBUTES = {
  operation: "graphql.operation.type",
  operationName: "graphql.operation.name",
  status: "http.response.status_code",
  documentHash: "gateway.document_hash",
  who: "gateway.client",
  clientName: "gateway.client_name",
  clientVersion: "gateway.client_version",
  cost: "gateway.cost",
  cache: "gateway.cache",
  cachedResponse: "gateway.cached_response",
  upstreamRequests: "gateway.upstream_requests",
  retries: "gateway.retries",
  codes: "gateway.error_codes",
  limit: "gateway.limit",
  aborted: "gateway.aborted",
} as const;

type LoggedField = keyof typeof ATTRIBUTES;

/**
 * Starts the span of a GraphQL request, which continues the trace of the client. Returns its context. Without tracing, the
 * context is empty.
 */
export function startOperation(method: string, requestId: string, headers: IncomingHttpHeaders): Context {
  // The operation is not known yet.
  const context = start("GraphQL Operation", SERVER, propagation.extract(ROOT_CONTEXT, headers));
  trace.getSpan(context)?.setAttributes({
    "http.request.method": method,
    "http.route": "/graphql",
    "gateway.request_id": requestId,
  });
  return context;
}

/**
 * Ends the span of a GraphQL request. Its name is only the type of the operation, because clients choose the operation names.
 *
 * @param entry the log entry of the request
 * @param failure the code of an error that the client cannot correct
 */
export function endOperation(
  context: Context,
  entry: Readonly<Partial<Record<LoggedField, unknown>>>,
  failure: unknown,
): void {
  const span = trace.getSpan(context);
  if (!span?.isRecording()) return;
  if (entry.operation !== undefined) span.updateName(String(entry.operation));
  for (const [field, attribute] of Object.entries(ATTRIBUTES)) {
    span.setAttribute(attribute, entry[field as LoggedField] as AttributeValue);
  }
  if (failure !== undefined) failSpan(context, String(failure));
  span.end();
}

/**
 * Starts the span of one attempt of an upstream request. Returns its context.
 *
 * @param parent the context of the operation
 * @param url the URL of the request, which contains no secret
 * @param operation the name of the operation of PIOPIY
 * @param resendCount how often the same request has been sent before
 */
export function startAttempt(parent: Context, url: string, operation: string, resendCount = 0): Context {
  const context = start(`POST ${operation}`, CLIENT, parent);
  const span = trace.getSpan(context);
  if (span?.isRecording()) {
    const { hostname, port, protocol } = new URL(url);
    span.setAttributes({
      "http.request.method": "POST",
      "url.full": url,
      "server.address": hostname,
      "server.port": Number(port || (protocol === "https:" ? 443 : 80)),
      "piopiy.operation": operation,
      "http.request.resend_count": resendCount || undefined,
    });
  }
  return context;
}

/** Marks a span as failed, with a short name of the cause. */
export function failSpan(context: Context, cause: string): void {
  trace.getSpan(context)?.setAttribute("error.type", cause).setStatus({ code: SpanStatusCode.ERROR });
}

/** Ends a span with these attributes. They are not computed for a span that is not exported. */
export function endSpan(context: Context, attributes: () => Attributes): void {
  const span = trace.getSpan(context);
  if (span?.isRecording()) span.setAttributes(attributes()).end();
}

/** Returns the headers that continue the trace in the receiver of a request. */
export function traceHeaders(context: Context): Record<string, string> {
  const headers = {};
  propagation.inject(context, headers);
  return headers;
}

/** Returns the fields of log entries that belong to a span. */
export function traceFields(context: Context | undefined): TraceFields {
  const span = context && trace.getSpanContext(context);
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

function start(name: string, kind: { readonly kind: SpanKind }, parent: Context): Context {
  const span = tracer.startSpan(name, kind, parent);
  // The context has only the span: baggage of the client is not sent to PIOPIY.
  return isSpanContextValid(span.spanContext()) ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}
