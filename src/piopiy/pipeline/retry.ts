import { GatewayError } from "../../errors.js";
import type { ReadBudget } from "../budget.js";
import { Mismatch } from "../mismatch.js";
import { NotAsked } from "../not-asked.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
const WINDOW_SECONDS = 10;
/** Retries add a tenth to the calls at most, so that they never multiply an outage; a quiet gateway may always make a few. */
const SHARE = 0.1;
const ALWAYS = 10;

/** The retries of all reads to one upstream. */
export class Retries {
  readonly #reads = new SlidingCount();
  readonly #retries = new SlidingCount();

  /**
   * Runs a read up to three times while its failure may pass and the operation's and the upstream's budgets allow. The
   * pause before a further attempt is what PIOPIY asked for by `Retry-After`, else a random part of 100, then 200
   * milliseconds: random, so that callers who failed together do not come back together.
   */
  async run<T>(budget: ReadBudget, read: () => Promise<T>): Promise<T> {
    this.#reads.add();
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        if (!mayPass(error) || attempt === ATTEMPTS) throw error;
        const asked = error.extensions.retryAfterMs;
        const pause = typeof asked === "number" ? asked : Math.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1);
        if (pause >= budget.timeLeft || budget.forReads.isNow || !this.#take()) throw error;
        if (!(await budget.forReads.sleep(pause))) throw error;
      }
    }
  }

  /** Takes one retry off what is allowed; false when there is none left. */
  #take(): boolean {
    if (this.#retries.total >= Math.max(ALWAYS, SHARE * this.#reads.total)) return false;
    this.#retries.add();
    return true;
  }
}

function mayPass(error: unknown): error is GatewayError {
  const isFinal = error instanceof NotAsked || error instanceof Mismatch;
  return error instanceof GatewayError && !isFinal && error.extensions.retryable === true;
}

/** Counts what happened in the last ten seconds. */
class SlidingCount {
  /** By second. */
  readonly #counts = new Map<number, number>();

  add(): void {
    const second = this.#forget();
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1);
  }

  get total(): number {
    this.#forget();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Drops what is too old, and tells which second it is. */
  #forget(): number {
    const now = Math.floor(performance.now() / 1000);
    for (const second of this.#counts.keys()) {
      if (second <= now - WINDOW_SECONDS) this.#counts.delete(second);
    }
    return now;
  }
}
