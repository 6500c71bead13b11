import { fastifyCors } from "@fastify/cors";
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from "fastify";
import { type Config, isOrigin } from "../config.js";
import { PREFLIGHT_HEADERS } from "./graphql-request.js";

/** Origins that one process logs. Any client can send any origin. */
const MAX_LOGGED_ORIGINS = 100;
const MAX_ORIGIN_LENGTH = 300;

/** Allows pages of these origins to send requests, with the headers that a GraphQL client sends and reads. */
export async function addCors(server: FastifyInstance, origins: Config["corsOrigins"]): Promise<void> {
  server.addHook("onRequest", logRefusedOrigins(origins));
  if (origins.length === 0) return;
  await server.register(fastifyCors, {
    origin: [...origins],
    methods: ["GET", "POST"],
    allowedHeaders: [
      "authorization",
      "content-type",
      ...PREFLIGHT_HEADERS,
      "apollographql-client-name",
      "apollographql-client-version",
      "graphql-client-name",
      "graphql-client-version",
      "traceparent",
      "tracestate",
      "x-request-id",
    ],
    exposedHeaders: ["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"],
    maxAge: 600,
  });
}

/** Returns whether pages of this machine may send requests, because `CORS_ORIGINS` is not set. */
export function allowsLocalPages(origins: Config["corsOrigins"]): boolean {
  return origins.some((origin) => origin instanceof RegExp);
}

/**
 * Creates the hook that logs each origin whose pages cannot use the gateway once, with the setting that allows it. A browser does
 * not show the reason to such a page.
 */
function logRefusedOrigins(origins: Config["corsOrigins"]): onRequestHookHandler {
  const logged = new Set<string>();
  const configured = origins.filter((origin) => typeof origin === "string");
  const warning = allowsLocalPages(origins)
    ? " (this replaces the default: add the pages of this machine that you use)"
    : "";
  const isAllowed = (origin: string) =>
    origins.some((allowed) => (typeof allowed === "string" ? allowed === origin : allowed.test(origin)));

  return (request, _reply, done) => {
    const { origin } = request.headers;
    const isNew = origin && !logged.has(origin) && logged.size < MAX_LOGGED_ORIGINS && !isAllowed(origin);
    if (isNew && (origin === "null" || isForeign(request, origin))) {
      logged.add(origin);
      const advice =
        origin === "null"
          ? "CORS_ORIGINS cannot allow it, because the page has no origin, like a file: serve the page over HTTP"
          : `to allow it, set CORS_ORIGINS=${[...configured, origin].join()}${warning}`;
      request.log.warn({ origin }, `CORS does not allow the origin of a page that sent a request: ${advice}`);
    }
    done();
  };
}

/**
 * Returns whether a text is the origin of a page that the gateway has not served itself. A proxy may replace the `Host` header, but
 * not `Sec-Fetch-Site`.
 */
function isForeign({ headers, host }: FastifyRequest, origin: string): boolean {
  return (
    origin.length <= MAX_ORIGIN_LENGTH &&
    isOrigin(origin) &&
    headers["sec-fetch-site"] !== "same-origin" &&
    new URL(origin).host !== host
  );
}
