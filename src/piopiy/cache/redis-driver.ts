import type { L2CacheDriver } from "bentocache/types";
import type { Redis } from "../../redis.js";

/**
 * The part of the cache that processes share. Entries leave Redis once they are too old to be served; the older ones that
 * may stand in for a PIOPIY that is out of order are in memory only.
 */
export class RedisDriver implements L2CacheDriver {
  readonly type = "l2";
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor(redis: Redis, prefix: string, ttlMs: number) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#ttlMs = ttlMs;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#prefix + key)) ?? undefined;
  }

  async set(key: string, value: string): Promise<boolean> {
    await this.#redis.set(this.#prefix + key, value, this.#ttlMs);
    return true;
  }

  namespace = unused;
  pull = unused;
  delete = unused;
  deleteMany = unused;
  clear = unused;

  async disconnect(): Promise<void> {}
}

/** Entries are never removed: a change gives them another key. */
function unused(): never {
  throw new Error("This cache is only read and written.");
}
