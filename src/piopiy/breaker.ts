import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from "cockatiel";
import type { FastifyBaseLogger } from "fastify";
import { GatewayError } from "../errors.js";
import { NotAsked } from "./not-asked.js";

/** So many calls in a row must fail. Fewer would open it on bad luck, while PIOPIY still answers most calls. */
const FAILURES_IN_A_ROW = 10;

/**
 * Spares a PIOPIY that is out of order: once calls fail one after another, further ones are answered at once, until a
 * single probe has come back well. PIOPIY's refusals are answers, not failures.
 */
export class Breaker {
  readonly #circuit: CircuitBreakerPolicy;
  readonly #resetMs: number;
  #openedAt = 0;
  /** How often it has opened or closed. */
  #changes = 0;

  /** @param resetMs how long it stays open before one call probes */
  constructor(resetMs: number, log: FastifyBaseLogger) {
    this.#resetMs = resetMs;
    // A probe that came to no end has proved nothing.
    const counts = (error: Error) => isOutage(error) || (error instanceof NotAsked && this.#isProbing);
    this.#circuit = circuitBreaker(handleWhen(counts), {
      halfOpenAfter: resetMs,
      breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
    });
    this.#circuit.onBreak(() => {
      if (this.#openedAt === 0) log.error("PIOPIY is out of order: it is not asked until a probe succeeds");
      this.#openedAt = Date.now();
      this.#changes++;
    });
    this.#circuit.onReset(() => {
      this.#openedAt = 0;
      this.#changes++;
      log.warn("PIOPIY answers again");
    });
  }

  get isClosed(): boolean {
    return this.#circuit.state === CircuitState.Closed;
  }

  /** Makes the call, or throws `UPSTREAM_UNAVAILABLE` at once. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    const outcome = await this.#circuit.execute(async () => {
      const begun = this.#changes;
      try {
        return { answer: await call() };
      } catch (error) {
        // To cockatiel an error that does not count is no success either, but a refusal ends a row of failures. And a
        // failure of a call from before it opened or closed would open it once more, beside a probe or after one.
        if (isRefusal(error) || begun !== this.#changes) return { failure: error };
        throw error;
      }
    });
    if ("failure" in outcome) throw outcome.failure;
    return outcome.answer;
  }

  /** Throws `UPSTREAM_UNAVAILABLE` while no call may be made. */
  check(): void {
    const wait = this.#openedAt + this.#resetMs - Date.now();
    if (this.isClosed || (!this.#isProbing && wait <= 0)) return;
    throw new NotAsked(
      "UPSTREAM_UNAVAILABLE",
      "PIOPIY has failed again and again, so it is not asked for a moment. Try again later.",
      { retryAfterMs: Math.max(wait, 1) },
    );
  }

  get #isProbing(): boolean {
    return this.#circuit.state === CircuitState.HalfOpen;
  }
}

/** Whether PIOPIY failed. */
function isOutage(error: unknown): boolean {
  const { retryable, upstreamCode } = error instanceof GatewayError ? error.extensions : {};
  return retryable === true && upstreamCode !== 429 && !(error instanceof NotAsked);
}

/** Whether PIOPIY refused, or asked for patience. */
function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && !(error instanceof NotAsked) && !isOutage(error);
}
