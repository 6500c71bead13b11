import type { ReadBudget } from "../budget.js";
import type { Stop } from "../stop.js";
import { ConcurrencyLimit } from "./concurrency-limit.js";

/** So many writes may wait for one endpoint. */
const MAX_WAITING = 50;

interface Lane {
  readonly limit: ConcurrencyLimit;
  /** How many tasks run or wait. */
  users: number;
}

/** Lets one write at a time run for each endpoint, so that what becomes of one is known before the next begins. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  /** Runs `write` when those before it for the same name are through; gives up as `ConcurrencyLimit` does. */
  async take<T>(name: string, budget: ReadBudget, stop: Stop, write: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(name) ?? { limit: new ConcurrencyLimit(1, MAX_WAITING), users: 0 };
    this.#lanes.set(name, lane);
    lane.users++;
    try {
      return await lane.limit.run("write", budget, stop, write);
    } finally {
      if (--lane.users === 0) this.#lanes.delete(name);
    }
  }
}
