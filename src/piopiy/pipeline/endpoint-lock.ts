import { ConcurrencyLimit } from "./concurrency-limit.js";
import type { Layer } from "./pipeline.js";

/** How many writes may wait for one endpoint. */
const MAX_WAITING = 50;

interface Lock {
  readonly limit: ConcurrencyLimit;
  /** How many writes hold it or wait for it. */
  users: number;
}

/** Sends one write at a time for each endpoint, so that the outcome of one is known before the next is sent. */
export function endpointLock(): Layer {
  const locks = new Map<string, Lock>();
  return (next) => async (request) => {
    const { subject } = request;
    const lock = locks.get(subject) ?? { limit: new ConcurrencyLimit(1, MAX_WAITING), users: 0 };
    locks.set(subject, lock);
    lock.users++;
    try {
      return await lock.limit.layer(next)(request);
    } finally {
      if (--lock.users === 0) locks.delete(subject);
    }
  };
}
