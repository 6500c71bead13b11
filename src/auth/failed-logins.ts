import { GatewayError } from "../errors.js";
import { FixedWindowCounter } from "./fixed-window-counter.js";

const MAX_FAILURES = 30;
const DURATION_SECONDS = 60;

/**
 * Counts wrong credentials by client, in windows of a minute. Right ones are not counted and pass always, so that clients behind
 * one address do not lock each other out. It is kept in this process: strangers should not cause traffic to a shared store.
 */
export class FailedLogins {
  private readonly limiter = new FixedWindowCounter(1000 * DURATION_SECONDS);

  /** Counts a wrong credential, and throws `RATE_LIMITED` when there were too many. */
  count(client: string): void {
    const { count, msLeft } = this.limiter.add(client);
    if (count <= MAX_FAILURES) return;
    throw new GatewayError(
      "RATE_LIMITED",
      `More than ${MAX_FAILURES} wrong credentials came from this address within a minute. Correct the credential, and try again in ` +
        `${Math.ceil(msLeft / 1000)} seconds.`,
      { retryAfterMs: msLeft },
    );
  }
}
