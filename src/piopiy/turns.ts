import { setImmediate } from "node:timers/promises";
import PQueue from "p-queue";
import { NotAsked } from "./not-asked.js";
import type { Stop } from "./stop.js";

export type Kind = "read" | "write";

const priorities = { read: 0, write: 1 };

/**
 * Bounds how many calls are in flight at once. The others wait their turn, writes before reads, so that no number of
 * reads holds up a write.
 */
export class Turns {
  readonly #queue: PQueue;
  readonly #maxWaiting: number;
  readonly #waiting = { read: 0, write: 0 };

  /** @param maxWaiting how many calls of either kind may wait; more are refused at once */
  constructor(concurrency: number, maxWaiting: number) {
    this.#queue = new PQueue({ concurrency });
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `call` when a place is free. Once it is time to stop, a call that still waits is given up with
   * `UPSTREAM_TIMEOUT`; one that has begun decides for itself, and keeps its place until it ends.
   */
  async take<T>(kind: Kind, stop: Stop, call: () => Promise<T>): Promise<T> {
    const { pending, concurrency, size } = this.#queue;
    if (size === 0 && pending < concurrency && !stop.isNow) return this.#queue.add(() => inTurn(call));
    if (this.#waiting[kind] >= this.#maxWaiting) throw tooMany();
    const waiting = new AbortController();
    const giveUp = () => waiting.abort(tooLate());
    const forget = stop.listen(giveUp);
    let begun = false;
    const leave = () => {
      if (!begun) this.#waiting[kind]--;
      begun = true;
      forget();
    };
    this.#waiting[kind]++;
    const begin = () => {
      leave();
      return call();
    };
    try {
      return await this.#queue.add(begin, { priority: priorities[kind], signal: waiting.signal });
    } finally {
      leave();
    }
  }
}

/** Begins the calls of a burst one by one, so that each is on its way before the next one costs time. */
async function inTurn<T>(call: () => Promise<T>): Promise<T> {
  await setImmediate();
  return call();
}

/** There is no time left to ask. */
export function tooLate(): NotAsked {
  return new NotAsked(
    "UPSTREAM_TIMEOUT",
    "The time of this operation was spent before PIOPIY could be asked (PIOPIY_DEADLINE_MS). Try again later.",
  );
}

function tooMany(): NotAsked {
  return new NotAsked(
    "UPSTREAM_UNAVAILABLE",
    "Too many calls to PIOPIY wait already (PIOPIY_MAX_CONCURRENCY). Try again later.",
  );
}
