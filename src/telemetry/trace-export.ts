import { setTimeout as sleep } from "node:timers/promises";
import { propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "../describe-error.js";

/** How often failures are logged at most. */
const LOG_INTERVAL_MS = 60_000;
/** Milliseconds that the shutdown waits for the export of the last spans. */
const FLUSH_MS = 2000;

/**
 * Registers the SDK of OpenTelemetry, and exports spans by OTLP over HTTP. The SDK reads the `OTEL_*` variables that are not in
 * the settings of the gateway. Its own log is not used, because it contains header values.
 */
export class TraceExport {
  readonly #log: FastifyBaseLogger;
  readonly #provider: BasicTracerProvider;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #lostSpans = 0;

  /** @param url the address for spans, such as `http://collector:4318/v1/traces` */
  constructor(url: string, version: string, log: FastifyBaseLogger) {
    this.#log = log;
    const service = { "service.name": "piopiy-graphql-gateway", "service.version": version };
    this.#provider = new BasicTracerProvider({
      resource: defaultResource()
        .merge(resourceFromAttributes(service))
        .merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })),
      spanProcessors: [new BatchSpanProcessor(this.#reporting(new OTLPTraceExporter({ url })))],
    });
    trace.setGlobalTracerProvider(this.#provider);
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  }

  /** Exports the last spans. Returns false if that takes too long; it may continue for some seconds then. */
  async close(): Promise<boolean> {
    // A failure has been logged.
    const flushed = this.#provider.shutdown().then(
      () => true,
      () => true,
    );
    return Promise.race([flushed, sleep(FLUSH_MS, false, { ref: false })]);
  }

  /** Adds a log of failures to an exporter. */
  #reporting(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.error) this.#reportLost(spans.length, result.error);
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }

  #reportLost(count: number, error: Error): void {
    this.#lostSpans += count;
    const now = performance.now();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = now;
    this.#log.warn(
      { reason: reasonFor(error), lostSpans: this.#lostSpans },
      "spans could not be exported: check OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and the collector",
    );
    this.#lostSpans = 0;
  }
}

/** Returns a short reason for the log. The message of an error of the exporter may contain a text of the collector. */
function reasonFor(error: Error): string {
  const { code, name, message } = error as Error & { readonly code?: unknown };
  if (typeof code === "number") return `HTTP ${code}`;
  // The exporter repeats a request after these statuses. Its error has no code then.
  if (name === "OTLPExporterError") return "HTTP 429, 502, 503 or 504";
  return message === "Request timed out" ? "timeout" : reasonOf(error);
}
