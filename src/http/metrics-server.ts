import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  LogController,
} from "fastify";
import { addHealthRoutes, type Readiness } from "./health.js";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const ADVICE = "Use GET /metrics, /health/live or /health/ready.";

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
  server.setNotFoundHandler((_request, reply) => sendText(reply, 404, `Not found. ${ADVICE}`));
  server.setErrorHandler<FastifyError>((error, request, reply) => {
    const { statusCode: status = 500 } = error;
    if (status < 500) return sendText(reply, status, `The request is not valid. ${ADVICE}`);
    request.log.error({ err: error }, "a request to METRICS_PORT failed");
    return sendText(reply, status, "The request failed: see the log of the gateway.");
  });
  return server;
}

function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type("text/plain").send(`${text}\n`);
}
