import type { FastifyBaseLogger } from "fastify";
import type { Config, Upstream } from "../config.js";
import { CachedClient, type CacheOptions } from "./cached-client.js";
import { PiopiyClient } from "./client.js";

/**
 * The client of an account at PIOPIY, and its cache.
 *
 * @param processes how invalidations reach the other processes of the gateway, where there are any
 */
export function connectPiopiy(
  { url, appId, secret }: Upstream,
  { timeoutMs, maxConcurrency, breakerResetMs, cacheTtlMs }: Config,
  log: FastifyBaseLogger,
  processes: Pick<CacheOptions, "redis" | "peers"> = {},
): CachedClient {
  const client = new PiopiyClient({ url, appId, secret, timeoutMs, maxConcurrency, breakerResetMs, log });
  return new CachedClient(client, {
    ttlMs: cacheTtlMs,
    account: `${url}#${appId}`,
    ...processes,
  });
}
