import type { Budget, ReadBudget } from "./budget.js";
import { Breaker } from "./pipeline/circuit-breaker.js";
import { ConcurrencyLimit, type Kind, tooLate } from "./pipeline/concurrency-limit.js";
import { Lanes } from "./pipeline/endpoint-lock.js";
import { settle, type Verdict } from "./pipeline/reconcile.js";
import { Retries } from "./pipeline/retry.js";
import type { SipEndpointRecord } from "./protocol.js";
import type { Reply } from "./reply.js";
import type { Stop } from "./stop.js";
import type { UpstreamLog } from "./upstream-log.js";

/** So many upstream requests of either kind may wait for each one in flight. */
const WAITING_FOR_EACH = 50;

/** A request to PIOPIY. Sending it is what may fail in an outage; parsing its response says nothing about PIOPIY's health. */
export interface UpstreamRequest<T> {
  /** Sends it once, and ends early when it is told to stop. */
  send(stop: Stop): Promise<Reply>;
  parse(reply: Reply): T;
}

/** What a write sends, and what tells how it ended when its response is lost. */
export interface Write<T> {
  /** Null is PIOPIY's refusal. */
  readonly write: UpstreamRequest<T | null>;
  /** Looks at the endpoint. */
  readonly find: UpstreamRequest<SipEndpointRecord | null>;
  verdict(found: SipEndpointRecord | null): Verdict<T>;
}

export interface PolicyOptions {
  /** Upstream requests in flight; more wait in a queue that is fair to clients, writes before reads. */
  readonly maxConcurrency: number;
  /** Milliseconds for which a PIOPIY that is out of order is not asked. */
  readonly breakerResetMs: number;
}

/**
 * When PIOPIY is asked, how often, and by how many at once. Reads are retried; writes are settled, one at a time for each
 * endpoint. All of it stays within the operation's budget, and nothing is asked of a PIOPIY that is out of order.
 */
export class Policy {
  readonly #concurrencyLimit: ConcurrencyLimit;
  readonly #breaker: Breaker;
  readonly #lanes = new Lanes();
  readonly #retries = new Retries();
  readonly #writes = new Set<Promise<unknown>>();
  /** The shortest time that PIOPIY has lately taken to answer: less is not worth an attempt. */
  #quickestMs = 0;

  constructor({ maxConcurrency, breakerResetMs }: PolicyOptions, log: UpstreamLog) {
    this.#concurrencyLimit = new ConcurrencyLimit(maxConcurrency, maxConcurrency * WAITING_FOR_EACH);
    this.#breaker = new Breaker(breakerResetMs, log);
  }

  /** Whether PIOPIY is asked; while it is out of order it is not. */
  get isAsking(): boolean {
    return this.#breaker.isClosed;
  }

  read<T>(budget: ReadBudget, request: UpstreamRequest<T>): Promise<T> {
    return this.#retries.run(budget, () =>
      this.#try("read", budget, budget.forReads, budget.forReads, request),
    );
  }

  /** A caller who leaves ends a write that still waits; one that has begun is seen through. */
  async write<T>(username: string, budget: Budget, { write, find, verdict }: Write<T>): Promise<T | null> {
    const { forReads: patience, forWrites: time } = budget;
    let waiting = patience;
    const work = this.#lanes.take(username, budget, patience, () =>
      settle(
        {
          write: () => {
            const attempt = this.#try("write", budget, waiting, time, write);
            waiting = time;
            return attempt;
          },
          find: () => this.#try("write", budget, time, time, find),
          verdict,
        },
        budget,
      ),
    );
    this.#writes.add(work);
    try {
      return await work;
    } finally {
      this.#writes.delete(work);
    }
  }

  /** Waits for the writes that are under way, also those whose callers have left. */
  async finish(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  /**
   * @param waiting ends the wait for a slot
   * @param running ends the attempt
   */
  async #try<T>(
    kind: Kind,
    budget: ReadBudget,
    waiting: Stop,
    running: Stop,
    request: UpstreamRequest<T>,
  ): Promise<T> {
    this.#breaker.check();
    const reply = await this.#concurrencyLimit.run(kind, budget, waiting, () =>
      this.#breaker.run(async () => {
        if (budget.timeLeft < this.#quickestMs) throw tooLate();
        const received = await request.send(running);
        this.#noteDuration(received.ms);
        return received;
      }),
    );
    return request.parse(reply);
  }

  /** Follows PIOPIY down at once, and up by a tenth a call. */
  #noteDuration(ms: number): void {
    this.#quickestMs = this.#quickestMs === 0 ? ms : Math.min(ms, this.#quickestMs * 1.1);
  }
}
