import { GatewayError } from "../../errors.js";
import type { ReadBudget } from "../budget.js";
import { Stop } from "../stop.js";

/**
 * Single-flight: callers who want the same thing at the same time wait for one piece of work. Each waits as long as its
 * own budget lasts; the work goes on until the last of them has gone. A failure is for those who waited: whoever comes
 * later begins anew. A client that joins gets the work a place in its own queue too, so that it never waits longer than alone.
 */
export class Flights {
  readonly #flights = new Map<string, Flight<unknown>>();

  /** @param work must end soon once its budget aborts */
  join<T>(key: string, budget: ReadBudget, work: (budget: ReadBudget) => Promise<T>): Promise<T> {
    const known = this.#flights.get(key) as Flight<T> | undefined;
    if (known) return known.wait(budget);
    const flight = new Flight<T>(work, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight.wait(budget);
  }
}

/** One piece of work, and the budget that all who wait for it have together. */
class Flight<T> implements ReadBudget {
  readonly #work: (budget: ReadBudget) => Promise<T>;
  readonly #end: () => void;
  readonly #waiting = new Set<ReadBudget>();
  readonly #listeners = new Set<(client: string) => void>();
  /** Comes when the last of them has gone. */
  readonly forReads = new Stop();
  #result: Promise<T> | undefined;

  /** @param end is called once nobody may join any more */
  constructor(work: (budget: ReadBudget) => Promise<T>, end: () => void) {
    this.#work = work;
    this.#end = end;
  }

  get clients(): string[] {
    return [...this.#waiting].flatMap(({ clients }) => clients);
  }

  onJoin(listener: (client: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get timeLeft(): number {
    return Math.max(0, ...[...this.#waiting].map(({ timeLeft }) => timeLeft));
  }

  wait(budget: ReadBudget): Promise<T> {
    this.#waiting.add(budget);
    for (const listener of this.#listeners) budget.clients.forEach(listener);
    this.#result ??= this.#work(this).finally(this.#end);
    const result = this.#result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(budget);
        if (this.#waiting.size > 0) return reject(tooSlow());
        // The work itself tells the last one why it ended.
        this.#end();
        this.forReads.now(budget.forReads.isDeadline);
      };
      const forget = budget.forReads.listen(leave);
      result.finally(forget).then(resolve, reject);
    });
  }
}

function tooSlow(): GatewayError {
  return new GatewayError(
    "UPSTREAM_TIMEOUT",
    "PIOPIY did not answer in the time of this operation (PIOPIY_DEADLINE_MS). Try again later.",
  );
}
