import { UpstreamError } from "../upstream-error.js";
import type { UpstreamLog } from "../upstream-log.js";
import type { Layer } from "./pipeline.js";

/** Consecutive outages that open the breaker. With fewer, it would open by chance while PIOPIY still serves most requests. */
const FAILURES_IN_A_ROW = 10;

/**
 * Stops sending requests while PIOPIY is down: after consecutive outages, requests fail immediately until a single probe has
 * succeeded. Only outages count as failures: any response in time shows that PIOPIY is up. No library is used, since libraries
 * measure the reset time by the system clock, which may be set back, and let late failures open the breaker again.
 */
export class CircuitBreaker {
  readonly #resetMs: number;
  readonly #log: UpstreamLog;
  #failures = 0;
  /** When the breaker opened, by the monotonic clock. Undefined while it is closed. */
  #openedAt: number | undefined;
  #isProbing = false;
  /** How often the breaker has opened or closed. The outcome of a request that was sent before the last change is ignored. */
  #changes = 0;

  /** @param resetMs milliseconds from the opening of the breaker to the probe */
  constructor(resetMs: number, log: UpstreamLog) {
    this.#resetMs = resetMs;
    this.#log = log;
  }

  get isClosed(): boolean {
    return this.#openedAt === undefined;
  }

  /** Rejects a request while the breaker is open, before it waits for a slot. */
  readonly failFast: Layer = (next) => async (request) => {
    this.#check();
    return next(request);
  };

  /** Rejects a request while the breaker is open, and counts the outcomes of other requests. */
  readonly count: Layer = (next) => async (request) => {
    this.#check();
    const changes = this.#changes;
    const isProbe = !this.isClosed;
    if (isProbe) this.#isProbing = true;
    const isCurrent = () => changes === this.#changes;
    try {
      const response = await next(request);
      if (isCurrent()) this.#succeed();
      return response;
    } catch (error) {
      const kind = error instanceof UpstreamError ? error.kind : "local";
      // An aborted probe proves nothing.
      const isFailure = kind === "outage" || (kind === "local" && isProbe);
      if (isCurrent() && isFailure) this.#fail();
      else if (isCurrent() && kind !== "local") this.#succeed();
      throw error;
    } finally {
      if (isProbe) this.#isProbing = false;
    }
  };

  #check(): void {
    if (this.#openedAt === undefined) return;
    const wait = this.#openedAt + this.#resetMs - performance.now();
    if (!this.#isProbing && wait <= 0) return;
    throw new UpstreamError(
      "local",
      "UPSTREAM_UNAVAILABLE",
      "PIOPIY has failed repeatedly, so no request is sent until the circuit breaker closes. Try again later.",
      { retryAfterMs: Math.max(Math.ceil(wait), 1) },
    );
  }

  #succeed(): void {
    this.#failures = 0;
    if (this.isClosed) return;
    this.#openedAt = undefined;
    this.#changes++;
    this.#log.breakerClosed();
  }

  #fail(): void {
    if (this.isClosed && ++this.#failures < FAILURES_IN_A_ROW) return;
    if (this.isClosed) this.#log.breakerOpened();
    this.#openedAt = performance.now();
    this.#changes++;
  }
}
