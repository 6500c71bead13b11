import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from "cockatiel";
import { NotAsked } from "../not-asked.js";
import { isBareServerError, type Reply } from "../reply.js";
import type { UpstreamLog } from "../upstream-log.js";

/** So many calls in a row must fail. Fewer would open it on bad luck, while PIOPIY still answers most calls. */
const FAILURES_IN_A_ROW = 10;

/** What became of a request that the circuit does not see fail. */
type Outcome =
  | { readonly reply: Reply; readonly isOutage: boolean }
  | { readonly reply?: undefined; readonly isOutage?: undefined; readonly error: unknown };

/**
 * Spares a PIOPIY that is out of order: once calls fail one after another, further ones are answered at once, until a
 * single probe has come back well. What counts is that PIOPIY could not be reached, did not answer in time, or something in front of
 * it did with a bare HTTP 5xx; whatever PIOPIY itself answers in time shows that it works.
 */
export class Breaker {
  readonly #circuit: CircuitBreakerPolicy;
  readonly #resetMs: number;
  /** By the monotonic clock; undefined while it is closed. */
  #openedAt: number | undefined;
  /** How often it has opened or closed. */
  #changes = 0;

  /** @param resetMs how long it stays open before one call probes */
  constructor(resetMs: number, log: UpstreamLog) {
    this.#resetMs = resetMs;
    // A probe that came to no end has proved nothing.
    const counts = (error: Error) => !(error instanceof NotAsked) || this.#isProbing;
    const isOutage = (outcome: unknown) => (outcome as Outcome).isOutage === true;
    this.#circuit = circuitBreaker(handleWhen(counts).orWhenResult(isOutage), {
      // cockatiel measures this by the system clock, which may be set back: `check` alone decides.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
      breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
    });
    this.#circuit.onBreak(() => {
      if (this.#openedAt === undefined) log.breakerOpened();
      this.#openedAt = performance.now();
      this.#changes++;
    });
    this.#circuit.onReset(() => {
      this.#openedAt = undefined;
      this.#changes++;
      log.breakerClosed();
    });
  }

  get isClosed(): boolean {
    return this.#circuit.state === CircuitState.Closed;
  }

  /** Sends a request, or throws `UPSTREAM_UNAVAILABLE` at once. */
  async run(send: () => Promise<Reply>): Promise<Reply> {
    this.check();
    const outcome = await this.#circuit.execute(async (): Promise<Outcome> => {
      const begun = this.#changes;
      // A failure of a request from before it opened or closed would open it once more, beside a probe or after one.
      const isOld = () => begun !== this.#changes;
      try {
        const reply = await send();
        return { reply, isOutage: isBareServerError(reply) && !isOld() };
      } catch (error) {
        if (isOld()) return { error };
        throw error;
      }
    });
    if (outcome.reply) return outcome.reply;
    throw outcome.error;
  }

  /** Throws `UPSTREAM_UNAVAILABLE` while no call may be made. */
  check(): void {
    if (this.#openedAt === undefined) return;
    const wait = this.#openedAt + this.#resetMs - performance.now();
    if (!this.#isProbing && wait <= 0) return;
    throw new NotAsked(
      "UPSTREAM_UNAVAILABLE",
      "PIOPIY has failed again and again, so it is not asked for a moment. Try again later.",
      { retryAfterMs: Math.max(Math.ceil(wait), 1) },
    );
  }

  get #isProbing(): boolean {
    return this.#circuit.state === CircuitState.HalfOpen;
  }
}
