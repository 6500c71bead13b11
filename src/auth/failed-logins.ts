import { GatewayError } from "../errors.js";
import { FixedWindowCounter } from "../fixed-window-counter.js";

const MAX_FAILURES = 30;
const DURATION_SECONDS = 60;

/**
 * Bounds guessing by address. One good login forgives, so that callers behind one address do not lock each other
 * out. It is kept in this process: strangers should not cause traffic to a shared store.
 */
export class FailedLogins {
  private readonly limiter = new FixedWindowCounter(1000 * DURATION_SECONDS);

  /** Throws `RATE_LIMITED` for an address that has failed too often. */
  async refuse(address: string): Promise<void> {
    const state = this.limiter.get(address);
    if (state.count < MAX_FAILURES) return;
    throw new GatewayError(
      "RATE_LIMITED",
      `Too many wrong credentials came from this address. Try again in ${Math.ceil(state.msLeft / 1000)} seconds.`,
      { retryAfterMs: state.msLeft },
    );
  }

  /** Counts how a login from this address ended. */
  async count(address: string, success: boolean): Promise<void> {
    if (success) this.limiter.delete(address);
    else this.limiter.add(address);
  }
}
