import { setTimeout as sleep } from "node:timers/promises";
import { countRetry } from "../../telemetry/metrics.js";
import { UpstreamError } from "../upstream-error.js";
import type { Layer } from "./pipeline.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
const BUDGET_SECONDS = 10;
/** Retries add at most a tenth to the reads of the last ten seconds, so that they do not amplify an outage. */
const BUDGET_SHARE = 0.1;
/** A gateway with few reads may always send a few retries. */
const MIN_BUDGET = 10;

/**
 * Sends a read up to three times while its failure is retryable, and the deadline and the retry budget allow it. The pause before
 * a retry is PIOPIY's `Retry-After`. Without this header, it is a random time: up to 100 milliseconds before the first retry, and
 * up to 200 before the second. The time is random, so that clients that failed together do not retry together.
 */
export function retry(budget: RetryBudget): Layer {
  return (next) => async (request) => {
    budget.reads.add();
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(attempt === 1 ? request : { ...request, resendCount: attempt - 1 });
      } catch (error) {
        if (!mayPass(error) || attempt === ATTEMPTS) throw error;
        const { retryAfterMs } = error.extensions;
        const pause =
          typeof retryAfterMs === "number"
            ? retryAfterMs
            : Math.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1);
        if (pause >= request.deadline.msLeft || request.signal.aborted) throw error;
        if (budget.left < 1) throw error;
        budget.retries.add();
        request.deadline.usage.retries++;
        countRetry({ operation: request.operation });
        await sleep(pause, undefined, { signal: request.signal }).catch(() => {
          throw error;
        });
      }
    }
  };
}

function mayPass(error: unknown): error is UpstreamError {
  const isFinal = error instanceof UpstreamError && (error.kind === "local" || error.kind === "mismatch");
  return error instanceof UpstreamError && !isFinal && error.extensions.retryable === true;
}

/** The number of retries that are allowed: a share of the reads of the last ten seconds. */
export class RetryBudget {
  readonly reads = new SlidingCount();
  readonly retries = new SlidingCount();

  get left(): number {
    return Math.ceil(Math.max(MIN_BUDGET, BUDGET_SHARE * this.reads.total)) - this.retries.total;
  }
}

/** Counts the events of the last ten seconds. */
class SlidingCount {
  /** By second. */
  readonly #counts = new Map<number, number>();

  add(): void {
    const second = this.#dropOld();
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1);
  }

  get total(): number {
    this.#dropOld();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Drops old counts, and returns the current second. */
  #dropOld(): number {
    const now = Math.floor(performance.now() / 1000);
    for (const second of this.#counts.keys()) {
      if (second <= now - BUDGET_SECONDS) this.#counts.delete(second);
    }
    return now;
  }
}
