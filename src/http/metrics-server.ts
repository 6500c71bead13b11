import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from "fastify";
import { addHealthRoutes, type Readiness } from "./health.js";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Creates the server for `METRICS_PORT`, with `/metrics` and the health routes. It does not listen yet. It needs no credential, so
 * only the operator's network may reach it.
 *
 * @param readMetrics returns the metrics in Prometheus's text format
 */
export function createMetricsServer(
  log: FastifyBaseLogger,
  readMetrics: () => Promise<string>,
  readiness: () => Readiness | Promise<Readiness>,
): FastifyInstance {
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // The connections of Prometheus are kept alive, and would delay the shutdown.
    forceCloseConnections: true,
  });
  server.get("/metrics", async (_request, reply) => reply.type(CONTENT_TYPE).send(await readMetrics()));
  addHealthRoutes(server, readiness);
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).type("text/plain").send("Not found. Use GET /metrics, /health/live or /health/ready.\n"),
  );
  server.setErrorHandler((error, { log: requestLog }, reply) => {
    requestLog.error({ err: error }, "a request to METRICS_PORT failed");
    return reply.code(500).type("text/plain").send("The request failed: see the log of the gateway.\n");
  });
  return server;
}
