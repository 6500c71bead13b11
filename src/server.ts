import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from "fastify";
import type { Config } from "./config.js";
import { createContext } from "./context.js";
import { createApollo } from "./graphql/apollo.js";
import { answerBrokenHttp, answerHttpError, answerNotFound, tellRequestId } from "./http-errors.js";
import type { PiopiyClient } from "./piopiy/client.js";

/**
 * The gateway's HTTP side, not yet listening: `/graphql`, `/graphiql` where it is wanted, and the health
 * routes. Closing it lets every accepted request be answered first.
 */
export async function createServer(
  config: Config,
  client: PiopiyClient,
  log: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const apollo = createApollo(config.introspection, log);
  await apollo.start();
  let closing = false;

  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: answerHttpError,
  });
  server.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  server.addHook("preClose", async () => {
    closing = true;
  });
  // A connection that is kept after its last answer would hold up the end.
  server.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
  server.addHook("onClose", () => apollo.stop());
  server.setErrorHandler(answerHttpError);
  server.setNotFoundHandler(answerNotFound);

  server.route({
    method: ["GET", "POST"],
    url: "/graphql",
    handler: fastifyApolloHandler(apollo, {
      context: async (request, reply) => createContext(config, client, request, reply),
    }),
    onSend: async (request, reply, payload) => tellRequestId(request, reply, payload),
  });
  if (config.graphiql) {
    const { renderGraphiqlPage } = await import("./graphql/graphiql.js");
    const page = renderGraphiqlPage("/graphql");
    server.get("/graphiql", (_request, reply) => reply.type("text/html; charset=utf-8").send(page));
  }
  server.get("/health/live", () => ({ status: "live" }));
  server.get("/health/ready", (_request, reply) => {
    return closing ? reply.code(503).send({ status: "closing" }) : reply.send({ status: "ready" });
  });
  return server;
}

/** Takes over the caller's `X-Request-Id` where it is fit for a log, so that one id leads through several services. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
