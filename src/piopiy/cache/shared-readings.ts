import type { Redis } from "../../redis.js";

const READ = {
  command: "GET or PTTL",
  purpose: "the cache",
  cost: "reads of other processes are not reused",
};
const WRITE = { command: "SET", purpose: "the cache", cost: "reads are not shared with other processes" };

/** A reading that some process has put into Redis. */
interface SharedReading {
  readonly value: unknown;
  /** How long ago PIOPIY told it. */
  readonly ageMs: number;
}

/**
 * The part of the cache that processes share. Redis alone measures the age of a reading, by what is left of its time, since
 * the clocks of processes differ. Those with another time to live share nothing.
 */
export class SharedReadings {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor(redis: Redis, account: string, ttlMs: number) {
    this.#redis = redis;
    this.#prefix = `{piopiy-graphql-gateway}:reads:2:${ttlMs}:${account}:`;
    this.#ttlMs = ttlMs;
  }

  /** Undefined when there is none that may be served. A Redis that fails costs speed only. */
  async find(key: string): Promise<SharedReading | undefined> {
    try {
      const found = await this.#redis.get(READ, this.#prefix + key);
      const ageMs = this.#ttlMs - found.msLeft;
      // An age below zero shows that the clock of Redis was set back.
      if (found.value === null || ageMs < 0 || ageMs >= this.#ttlMs) return undefined;
      return { value: JSON.parse(found.value), ageMs };
    } catch {
      return undefined;
    }
  }

  async keep(key: string, { value, ageMs }: SharedReading): Promise<void> {
    const msLeft = Math.floor(this.#ttlMs - ageMs);
    if (msLeft <= 0) return;
    await this.#redis.set(WRITE, this.#prefix + key, JSON.stringify(value), msLeft).catch(() => {});
  }
}
