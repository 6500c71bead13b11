import type { Worker } from "node:cluster";
import { type ChangeMessage, WORKER_TRUST_MS } from "./worker-invalidation.js";

/** A change that was passed on, until it is confirmed. */
interface Spreading {
  readonly unconfirmed: Set<Worker>;
  readonly end: () => void;
}

/**
 * Passes the changes of each worker on to the others, and confirms them once all others have, or serve nothing from cache
 * because their heartbeats no longer come back.
 */
export class ChangeRelay {
  readonly #workers = new Set<Worker>();
  readonly #spreading = new Map<number, Spreading>();
  #last = 0;

  add(worker: Worker): void {
    this.#workers.add(worker);
    worker.on("message", (message: ChangeMessage) => {
      if (message.say === "heartbeat") send(worker, message);
      if (message.say === "changed") this.#spread(worker, message);
      if (message.say === "known") this.#confirm(worker, message.id);
    });
    worker.on("exit", () => {
      this.#workers.delete(worker);
      for (const id of this.#spreading.keys()) this.#confirm(worker, id);
    });
  }

  #spread(from: Worker, { id, subjects }: ChangeMessage & { say: "changed" }): void {
    const own = ++this.#last;
    const end = () => {
      clearTimeout(timer);
      this.#spreading.delete(own);
      send(from, { say: "known", id });
    };
    const timer = setTimeout(end, WORKER_TRUST_MS);
    this.#spreading.set(own, { unconfirmed: new Set(this.#workers), end });
    for (const worker of this.#workers) {
      if (worker !== from) send(worker, { say: "changed", id: own, subjects });
    }
    this.#confirm(from, own);
  }

  #confirm(worker: Worker, id: number): void {
    const change = this.#spreading.get(id);
    change?.unconfirmed.delete(worker);
    if (change?.unconfirmed.size === 0) change.end();
  }
}

function send(worker: Worker, message: ChangeMessage): void {
  // A worker may die at any moment; its exit ends what waits for it.
  worker.send(message, () => {});
}
