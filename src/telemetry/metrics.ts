import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, register } from "prom-client";
import { errorCodes } from "../errors.js";

/** Upper bounds of the buckets of all durations, in seconds: from a cached response to the deadline of a bulk operation. */
const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Without `METRICS_PORT` nothing is counted, because nothing reads the metrics. */
let isOn = false;

type Labels<Name extends string> = Readonly<Record<Name, string>>;

/**
 * Creates a counter, and returns the function that adds an event, or several, to it.
 *
 * @param known labels whose count is 0 before the first event. A count that first appears with an event has no increase
 */
function counter<Name extends string>(
  name: string,
  help: string,
  labelNames: readonly Name[],
  known: readonly Labels<Name>[] = [],
) {
  const metric = new Counter({ name, help, labelNames });
  for (const labels of known) metric.inc(labels, 0);
  return (labels: Labels<Name>, times = 1): void => {
    if (isOn) metric.inc(labels, times);
  };
}

/** Creates a histogram, and returns the function that adds a duration in milliseconds to it. */
function histogram<Name extends string>(name: string, help: string, labelNames: readonly Name[]) {
  const metric = new Histogram({ name, help, labelNames, buckets: SECONDS });
  return (labels: Labels<Name>, milliseconds: number): void => {
    if (isOn) metric.observe(labels, milliseconds / 1000);
  };
}

export const observeOperation = histogram(
  "graphql_operation_duration_seconds",
  "Time from the arrival of a request to its response.",
  ["graphql_operation_name", "graphql_operation_type", "outcome"],
);

export const countError = counter(
  "graphql_errors_total",
  "Errors in responses, by their code.",
  ["code"],
  errorCodes.map((code) => ({ code })),
);

export const countCacheResult = counter(
  "gateway_cache_results_total",
  "Operations that have read data, by the source of the data.",
  ["result"],
);

export const countRejectedRequest = counter(
  "gateway_rejected_requests_total",
  "Requests that were rejected before GraphQL, by their HTTP status.",
  ["http_response_status_code"],
);

export const countLimitRejection = counter(
  "gateway_limit_rejections_total",
  "Operations and requests that exceeded a limit, by its setting.",
  ["limit"],
);

export const countRefusedLogin = counter(
  "gateway_logins_refused_total",
  "Requests whose credential was refused, by the reason.",
  ["reason"],
);

export const observeAttempt = histogram(
  "piopiy_request_duration_seconds",
  "Duration of an attempt of an upstream request.",
  ["operation", "outcome"],
);

export const countRetry = counter("piopiy_retries_total", "Attempts that repeated an earlier one.", [
  "operation",
]);

export const observeQueueWait = histogram(
  "piopiy_queue_wait_seconds",
  "Time that an upstream request waited for a slot of the concurrency limit.",
  ["priority"],
);

export const countReconciledWrite = counter(
  "piopiy_reconciled_writes_total",
  "Writes whose response was lost, by what their reconciliation found.",
  ["operation", "result"],
);

/** The upstream requests of a process now. */
export interface UpstreamLoad {
  readonly isBreakerOpen: boolean;
  readonly inFlight: number;
  readonly waiting: Readonly<Record<"read" | "write", number>>;
  /** The number of reads that may be retried. */
  readonly retriesLeft: number;
}

/** The state of a process that its metrics show. */
export interface GatewayState {
  readonly version: string;
  readonly piopiy: { readonly state: string; readonly load: UpstreamLoad };
  /** Undefined without `REDIS_URL`. */
  readonly redis: { readonly isUp: boolean } | undefined;
  /** The files that are read again when they change. */
  readonly files: readonly { readonly setting: string; readonly failures: number }[];
}

/** Starts to count, and adds the metrics of this process and of its current state. The state is read for each scrape. */
export function startMetrics({ version, piopiy, redis, files }: GatewayState): void {
  isOn = true;
  collectDefaultMetrics();
  new Gauge({
    name: "gateway_build_info",
    help: "Always 1. The label is the version of the gateway.",
    labelNames: ["version"],
    aggregator: "first",
  }).set({ version }, 1);
  if (redis) {
    new Gauge({
      name: "gateway_redis_up",
      help: "1 while Redis is connected and accepts commands, otherwise 0.",
      aggregator: "min",
      collect() {
        this.set(Number(redis.isUp));
      },
    });
  }
  new Counter({
    name: "gateway_reload_failures_total",
    help: "How often a changed file was invalid, by its setting.",
    labelNames: ["setting"],
    collect() {
      this.reset();
      for (const { setting, failures } of files) this.inc({ setting }, failures);
    },
  });
  new Gauge({
    name: "piopiy_state",
    help: "Number of processes for which PIOPIY is in this state.",
    labelNames: ["state"],
    collect() {
      for (const state of ["up", "down", "refused", "unknown"]) {
        this.set({ state }, Number(state === piopiy.state));
      }
    },
  });
  new Gauge({
    name: "piopiy_circuit_breaker_open",
    help: "1 while the circuit breaker of a process is open, otherwise 0.",
    aggregator: "max",
    collect() {
      this.set(Number(piopiy.load.isBreakerOpen));
    },
  });
  new Gauge({
    name: "piopiy_requests_in_flight",
    help: "Upstream requests in flight.",
    collect() {
      this.set(piopiy.load.inFlight);
    },
  });
  new Gauge({
    name: "piopiy_queue_length",
    help: "Upstream requests that wait for a slot of the concurrency limit.",
    labelNames: ["priority"],
    collect() {
      for (const [priority, length] of Object.entries(piopiy.load.waiting)) this.set({ priority }, length);
    },
  });
  new Gauge({
    name: "piopiy_retry_budget_left",
    help: "Number of reads that may be retried now.",
    aggregator: "min",
    collect() {
      this.set(piopiy.load.retriesLeft);
    },
  });
}

/** Returns the metrics of this process in Prometheus's text format. */
export function readMetrics(): Promise<string> {
  return register.metrics();
}

// In a worker, this registry responds to the primary process. It must exist before any other listener for messages.
const workerMetrics = new AggregatorRegistry();

/** Returns the metrics of all workers, aggregated, in Prometheus's text format. Only for the primary process. */
export function readWorkerMetrics(): Promise<string> {
  return workerMetrics.clusterMetrics();
}
