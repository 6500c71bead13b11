import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { GraphQLRequest } from "@apollo/server";
import type { Context as TraceContext } from "@opentelemetry/api";
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from "fastify";
import { addAnswerRoute } from "../answer-url/route.js";
import { AnswerUrls, MAX_TOKEN_LENGTH } from "../answer-url/token.js";
import { AuditLog } from "../auth/audit-log.js";
import type { Client } from "../auth/client.js";
import { trustProxies } from "../auth/client.js";
import { createLogin } from "../auth/login.js";
import { RateLimit } from "../auth/rate-limit.js";
import type { Config } from "../config.js";
import type { GatewayError } from "../errors.js";
import { createApollo } from "../graphql/apollo.js";
import {
  createContext,
  type OperationSummary,
  type ResponseStorage,
  SILENCE_MS,
} from "../graphql/context.js";
import { isJsonTooDeep, jsonDepthError } from "../graphql/request-limits.js";
import type { PiopiyClient } from "../piopiy/client.js";
import type { Redis } from "../redis.js";
import { namesIn, OperationNames } from "../telemetry/operation-names.js";
import { addCors } from "./cors.js";
import { keepMediaType, requireHost, sendHttpError, sendMalformedHttpError, sendNotFound } from "./errors.js";
import { checkHeaders, readGraphqlRequest } from "./graphql-request.js";
import { sendGraphqlResponse } from "./graphql-response.js";
import { addHealthRoutes, type Health } from "./health.js";
import { createHostGuard } from "./host-guard.js";
import { addLandingPage, sendApiPage } from "./landing-page.js";
import { addRequestLog } from "./request-log.js";
import { type CacheMiss, ResponseCache, type StoredResponse } from "./response-cache.js";
import { setSecurityHeaders } from "./security-headers.js";
import { limitSlowClients } from "./slow-clients.js";

declare module "fastify" {
  interface FastifyRequest {
    client: Client;
    /** The error of a request beyond the rate limit. Undefined after the cost of the operation has been charged or rejected. */
    refusal: GatewayError | undefined;
    /** Set for a request to `/graphql` when its body has been read. */
    graphqlRequest: GraphQLRequest;
    /** The cached response to the request. Undefined if there is none. */
    cachedResponse: StoredResponse | undefined;
    /** Set if the response cache has no response to the request. */
    cacheMiss: CacheMiss | undefined;
    /** Undefined until the operation starts. */
    responseStorage: ResponseStorage | undefined;
    /** Set when an operation has been executed, or its response has been found in the cache. */
    operation: OperationSummary | undefined;
    /** The `extensions` of the errors in the response. */
    reported: readonly Readonly<Record<string, unknown>>[];
    /** The context of the span of a request to `/graphql`. */
    trace: TraceContext | undefined;
  }
}

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node.js looks for such clients. */
const CHECK_INTERVAL_MS = 1000;

/**
 * Creates the HTTP server with the routes `/`, `/graphql`, `/graphiql` (if enabled), answer URLs and the health routes. The server does not
 * listen yet. Its `close` waits for the responses to all accepted requests.
 *
 * @param redis the store that several replicas share; left out without `REDIS_URL`
 * @param phonePage URL of the phone for the browser of the embedded emulator, which the page `/` links
 */
export async function createServer(
  config: Config,
  piopiy: PiopiyClient,
  log: FastifyBaseLogger,
  health: Health,
  redis?: Redis,
  phonePage?: string,
): Promise<FastifyInstance> {
  const apollo = createApollo(config, log);
  await apollo.start();
  // Apollo Server imports this when it executes its first operation. All files are loaded before the gateway listens.
  await import("graphql");
  const auditLog = new AuditLog(log);
  const rateLimit = new RateLimit(config.rateLimitPerMinute, redis);
  const login = createLogin(config, auditLog);
  const answerUrls = config.answer && new AnswerUrls(config.answer, () => loopbackOf(server.listeningOrigin));
  const services = { piopiy, rateLimit, auditLog, answerUrls };
  const responses = new ResponseCache(piopiy, rateLimit, config.cacheTtlMs);
  const operationNames = new OperationNames();
  operationNames.add(config.metricsOperations);
  const trusted = config.trustedDocuments.documents;
  const addTrustedNames = () => operationNames.add(namesIn(trusted?.current.values() ?? []));
  addTrustedNames();
  let isDraining = false;

  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: requestIdOf,
    bodyLimit: config.limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node.js exchanges the two timeouts if the one for the headers is longer. Its default is 60 seconds.
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // See `requireHost`.
      requireHostHeader: false,
    },
    connectionTimeout: config.deadlineMs + SILENCE_MS,
    // Requests on connections that were accepted still get a response.
    return503OnClosing: false,
    trustProxy: config.trustedProxies.length > 0 && trustProxies(config.trustedProxies),
    clientErrorHandler: sendMalformedHttpError,
    rewriteUrl: escapeInvalidUrl,
    routerOptions: { maxParamLength: MAX_TOKEN_LENGTH },
    frameworkErrors: sendHttpError,
  });
  limitSlowClients(server);
  server.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  addRequestLog(server, operationNames);
  server.addHook("onRequest", keepMediaType);
  server.addHook("onRequest", setSecurityHeaders(config.hsts));
  server.addHook("onRequest", requireHost);
  if (config.auth.mode === "none") server.addHook("onRequest", createHostGuard(config, auditLog));
  server.addHook("preClose", async () => {
    isDraining = true;
  });
  // A connection that is kept alive would delay the shutdown.
  server.addHook("onSend", (_request, reply, _payload, done) => {
    if (isDraining) void reply.header("connection", "close");
    done();
  });
  const stopWatching = [
    config.auth.mode === "api-key" && config.auth.keys.watch(log),
    trusted?.watch(log, () => {
      // A cached response may belong to a document that is no longer trusted.
      responses.clear();
      addTrustedNames();
    }),
  ];
  server.addHook("onClose", async () => {
    for (const stop of stopWatching) if (stop) stop();
  });
  server.addHook("onClose", () => apollo.stop());
  server.addHook("onClose", async () => auditLog.close());
  server.setErrorHandler(sendHttpError);
  server.setNotFoundHandler(sendNotFound);

  await addCors(server, config.corsOrigins);

  const parseJson = server.getDefaultJsonParser("error", "error");
  server.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (request.routeOptions.url === "/graphql" && responses.find(request, body)) done(null, body);
    else if (isJsonTooDeep(body)) done(jsonDepthError());
    else parseJson(request, body, done);
  });

  server.decorateRequest("client");
  server.decorateRequest("refusal");
  server.decorateRequest("cachedResponse");
  server.decorateRequest("cacheMiss");
  server.decorateRequest("graphqlRequest");
  server.decorateRequest("responseStorage");
  server.route({
    method: ["GET", "POST"],
    exposeHeadRoute: false,
    url: "/graphql",
    onRequest: [
      sendApiPage(config),
      async (request, reply) => {
        // Responses differ by client, and may contain passwords.
        reply.header("cache-control", "no-store");
        request.client = await login(request);
        request.refusal = await rateLimit.admit(request.client.name, reply);
        checkHeaders(request, reply);
      },
    ],
    preHandler: async (request, reply) => {
      const { cachedResponse } = request;
      if (cachedResponse) {
        if (await responses.serve(request, reply, cachedResponse)) return reply;
        request.body = JSON.parse(request.body as string);
      }
      request.graphqlRequest = readGraphqlRequest(request, config.limits.tokens);
      return undefined;
    },
    handler: async (request, reply) => {
      const contextValue = createContext(config, services, request, reply);
      request.responseStorage = contextValue.storage;
      const { body, http } = await apollo.executeOperation(request.graphqlRequest, { contextValue });
      request.operation = contextValue.summarize();
      reply.headers(Object.fromEntries(http.headers));
      const result = body.kind === "single" ? body.singleResult : body.initialResult;
      // Apollo Server rejects a mutation by GET.
      return sendGraphqlResponse(request, reply, result, http.status === 405 ? 405 : undefined);
    },
    onSend: (request, reply, payload, done) => {
      responses.store(request, reply, payload);
      done();
    },
  });
  if (answerUrls) await addAnswerRoute(server, answerUrls.tokens, config.pcmoTargetsKey);
  if (config.graphiql) {
    const { addGraphiqlRoute } = await import("./graphiql.js");
    addGraphiqlRoute(server, config.hsts);
  }
  addLandingPage(server, config, phonePage);
  addHealthRoutes(server, () => health.readiness);
  return server;
}

/** Replaces the host of an origin by the loopback address if the server listens on all addresses. */
function loopbackOf(origin: string): string {
  return origin.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]");
}

/** Returns the client's `X-Request-Id` if it is safe to log, so that several services log the same id; otherwise a new id. */
function requestIdOf({ headers }: IncomingMessage): string {
  const header = headers["x-request-id"];
  return typeof header === "string" && /^[\w.-]{1,64}$/.test(header) ? header : randomUUID();
}

/** Escapes a URL that cannot be decoded, so that it gets a 404. Fastify itself would respond without running any hook. */
function escapeInvalidUrl({ url = "/" }: { readonly url?: string | undefined }): string {
  try {
    decodeURI(url);
    return url;
  } catch {
    return url.replaceAll("%", "%25");
  }
}
