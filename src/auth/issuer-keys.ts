import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";

const REFRESH_MS = 600_000;
const MAX_AGE_MS = 3_600_000;
const RETRY_MS = 60_000;
/** New keys are valid at once, and strangers who invent key ids still cause one fetch a second at most. */
const FETCH_INTERVAL_MS = 1000;

/**
 * The public keys of an issuer, fetched again when a token names another one, and after ten minutes. While they cannot be
 * fetched, the known ones are used for an hour.
 */
export class IssuerKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(url: string) {
    let nextFetchAt = 0;
    this.#keys = createRemoteJWKSet(new URL(url), {
      // jose measures both by the system clock, which may be set back, so it is done here.
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      // jose runs one fetch at a time.
      [customFetch]: async (address, options) => {
        await sleep(Math.max(0, nextFetchAt - performance.now()), undefined, { signal: options.signal });
        nextFetchAt = performance.now() + FETCH_INTERVAL_MS;
        return fetch(address, options);
      },
    });
  }

  /** Returns the function by which jose finds the key of a token. It logs an outage of the issuer. */
  keyLookup(log: FastifyBaseLogger): JWTVerifyGetKey {
    return async (header, token) => {
      await this.#refresh(log);
      try {
        return await this.#keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await this.fetch();
        return this.#keys(header, token);
      }
    };
  }

  /** Fetches the keys now, or throws. */
  async fetch(): Promise<void> {
    await this.#keys.reload();
    this.#fetchedAt = performance.now();
  }

  async #refresh(log: FastifyBaseLogger): Promise<void> {
    const age = performance.now() - this.#fetchedAt;
    if (age < REFRESH_MS) return;
    if (age >= MAX_AGE_MS) return this.fetch();
    const isOutage = this.#failedAt > this.#fetchedAt;
    if (isOutage && performance.now() - this.#failedAt < RETRY_MS) return;
    const fetched = this.fetch().catch((error: unknown) => {
      // All requests that wait for one fetch come here.
      if (performance.now() - this.#failedAt < RETRY_MS) return;
      this.#failedAt = performance.now();
      log.warn({ err: error }, "the issuer's keys cannot be fetched; the known ones are used for an hour");
    });
    // During an outage no request waits for the next attempt.
    if (!isOutage) await fetched;
  }
}
