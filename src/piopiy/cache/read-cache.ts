import { LRUCache } from "lru-cache";
import { GatewayError } from "../../errors.js";
import type { Redis } from "../../redis.js";
import type { Layer, UpstreamRequest, UpstreamResponse } from "../pipeline/pipeline.js";
import type { Invalidation } from "./invalidation.js";

/** The maximum size of all entries, with their text in UTF-16. */
const MAX_BYTES = 32 * 1024 * 1024;
/** The estimated size of the key and the objects of an entry. */
const ENTRY_BYTES = 500;
/**
 * The maximum length of an entry as JSON, for each of its pages; longer entries are not cached. Ten rows with names of 256 bytes have
 * 2,800 characters.
 */
const MAX_ENTRY_LENGTH = 4096;
/** How long an expired entry may be served while PIOPIY is down, in milliseconds. */
const STALE_MS = 3_600_000;

const GET = {
  command: "GET or PTTL",
  purpose: "the cache",
  cost: "entries of other processes are not used",
};
const SET = { command: "SET", purpose: "the cache", cost: "entries are not shared with other processes" };

export interface ReadCacheOptions {
  /** Milliseconds for which a response may be served; 0 turns the cache off. */
  readonly ttlMs: number;
  /** Identifies the account at PIOPIY. Processes with different accounts share nothing. */
  readonly account: string;
  /** Shares the entries with other processes. */
  readonly redis?: Redis | undefined;
}

/** A cached response. Its value contains no password. */
interface Entry {
  readonly value: unknown;
  readonly readAt: number;
  readonly length: number;
}

/**
 * Serves reads from memory, and from Redis if processes share one, until they are older than `ttlMs` or their data has changed.
 * While PIOPIY is down, an entry is served as stale for up to one hour more. Passwords are never cached.
 */
export function readCache(options: ReadCacheOptions, invalidation: Invalidation): Layer {
  const { ttlMs } = options;
  const entries = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ length }) => ENTRY_BYTES + 2 * length,
  });
  const shared = options.redis && new SharedEntries(options.redis, options);

  /** Returns the entry of a key, even if the entry is too old to be served while PIOPIY is up. */
  async function find(key: string): Promise<Entry | undefined> {
    const own = entries.get(key);
    if (!shared || (own && isWithin(own.readAt, ttlMs))) return own;
    const entry = await shared.get(key);
    if (!entry) return own;
    entries.set(key, entry);
    return entry;
  }

  async function store({ key, range }: UpstreamRequest, { value, readAt }: UpstreamResponse): Promise<void> {
    const text = JSON.stringify(value, withoutPassword);
    const pages = range ? range.last - range.first + 1 : 1;
    if (text.length > MAX_ENTRY_LENGTH * pages) return;
    entries.set(key, { value: JSON.parse(text), readAt, length: text.length });
    await shared?.set(key, text, readAt);
  }

  return (next) => async (request) => {
    if (ttlMs === 0 || !invalidation.isCurrent) return next(request);
    const { key } = request;
    if (request.cache === "use") {
      const entry = await find(key);
      if (entry && isWithin(entry.readAt, ttlMs)) return { ...entry, isCached: true, isStale: false };
    }
    try {
      const response = await next(request);
      await store(request, response);
      return response;
    } catch (error) {
      const entry = request.cache === "use" && isOutage(error) && (await find(key));
      if (!entry || !isWithin(entry.readAt, ttlMs + STALE_MS)) throw error;
      return { ...entry, isCached: true, isStale: true };
    }
  };
}

/** Returns whether `readAt` is within the last `ms` milliseconds. */
export function isWithin(readAt: number, ms: number): boolean {
  return performance.now() - readAt < ms;
}

function withoutPassword(name: string, value: unknown): unknown {
  return name === "password" ? undefined : value;
}

function isOutage(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.code === "UPSTREAM_UNAVAILABLE" || error.code === "UPSTREAM_TIMEOUT")
  );
}

/**
 * The entries that processes share in Redis. The age of an entry is calculated from its remaining time in Redis, since the clocks of
 * processes differ. If Redis fails, reads only become slower.
 */
class SharedEntries {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor(redis: Redis, { account, ttlMs }: ReadCacheOptions) {
    this.#redis = redis;
    this.#prefix = `{piopiy-graphql-gateway}:reads:2:${ttlMs}:${account}:`;
    this.#ttlMs = ttlMs;
  }

  /** Returns the entry, or undefined when there is none that may be served. */
  async get(key: string): Promise<Entry | undefined> {
    try {
      const { value, msLeft } = await this.#redis.get(GET, this.#prefix + key);
      const ageMs = this.#ttlMs - msLeft;
      // An age below zero shows that the clock of Redis was set back.
      if (value === null || ageMs < 0 || ageMs >= this.#ttlMs) return undefined;
      return { value: JSON.parse(value), readAt: performance.now() - ageMs, length: value.length };
    } catch {
      return undefined;
    }
  }

  async set(key: string, text: string, readAt: number): Promise<void> {
    const msLeft = Math.floor(readAt + this.#ttlMs - performance.now());
    if (msLeft <= 0) return;
    await this.#redis.set(SET, this.#prefix + key, text, msLeft).catch(() => {});
  }
}
