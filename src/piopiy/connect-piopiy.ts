import cluster from "node:cluster";
import type { FastifyBaseLogger } from "fastify";
import type { Config, Upstream } from "../config.js";
import type { Redis } from "../redis.js";
import { CachedClient } from "./cached-client.js";
import { PiopiyClient } from "./client.js";

/** The client of an account at PIOPIY, and its cache. */
export function connectPiopiy(
  { url, appId, secret }: Upstream,
  { timeoutMs, maxConcurrency, breakerResetMs, cacheTtlMs }: Config,
  log: FastifyBaseLogger,
  redis?: Redis,
): CachedClient {
  const client = new PiopiyClient({ url, appId, secret, timeoutMs, maxConcurrency, breakerResetMs, log });
  return new CachedClient(client, {
    ttlMs: cacheTtlMs,
    account: `${url}#${appId}`,
    redis,
    isWorker: cluster.isWorker,
    log,
  });
}
