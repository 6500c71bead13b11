import type { FastifyBaseLogger } from "fastify";
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import PQueue from "p-queue";

const FRESH_MS = 600_000;
const USABLE_MS = 3_600_000;
const RETRY_MS = 60_000;

/**
 * The public keys of an issuer, fetched again when a token names another one, and after ten minutes. While they cannot be
 * fetched, the known ones are used for an hour.
 */
export class IssuerKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(url: string) {
    // New keys are valid at once, and strangers who invent key ids still cause one fetch a second at most.
    const fetches = new PQueue({ intervalCap: 1, interval: 1000 });
    this.#keys = createRemoteJWKSet(new URL(url), {
      cooldownDuration: 0,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: (address, options) => fetches.add(() => fetch(address, options)),
    });
  }

  /** Returns how jose finds the key of a token. An outage of the issuer is written to this log. */
  finder(log: FastifyBaseLogger): JWTVerifyGetKey {
    return async (header, token) => {
      await this.#refresh(log);
      return this.#keys(header, token);
    };
  }

  /** Fetches the keys now, or throws. */
  async fetch(): Promise<void> {
    await this.#keys.reload();
    this.#fetchedAt = performance.now();
  }

  async #refresh(log: FastifyBaseLogger): Promise<void> {
    const age = performance.now() - this.#fetchedAt;
    if (age < FRESH_MS) return;
    if (age >= USABLE_MS) return this.fetch();
    const isOutage = this.#failedAt > this.#fetchedAt;
    if (isOutage && performance.now() - this.#failedAt < RETRY_MS) return;
    const fetched = this.fetch().catch((error: unknown) => {
      // All requests that wait for one fetch come here.
      if (performance.now() - this.#failedAt < RETRY_MS) return;
      this.#failedAt = performance.now();
      log.warn({ err: error }, "the issuer's keys cannot be fetched; the known ones are used for an hour");
    });
    // During an outage nobody waits for the next try.
    if (!isOutage) await fetched;
  }
}
