import type { Worker } from "node:cluster";
import type { ChangeMessage } from "./worker-changes.js";

/** Tells the other workers what a worker has changed, and the worker when all of them know. */
export class ChangeRelay {
  readonly #workers = new Set<Worker>();
  /** For each change, whom it waits for. */
  readonly #unknowing = new Map<number, { readonly to: Set<Worker>; readonly tell: () => void }>();
  #last = 0;

  add(worker: Worker): void {
    this.#workers.add(worker);
    worker.on("message", (message: ChangeMessage) => {
      if (message.say === "changed") this.#spread(worker, message);
      if (message.say === "known") this.#note(worker, message.id);
    });
    worker.on("exit", () => {
      this.#workers.delete(worker);
      for (const id of this.#unknowing.keys()) this.#note(worker, id);
    });
  }

  #spread(from: Worker, { id, subjects }: ChangeMessage & { say: "changed" }): void {
    const others = [...this.#workers].filter((worker) => worker !== from && worker.isConnected());
    const own = ++this.#last;
    const tell = () => from.isConnected() && from.send({ say: "known", id } satisfies ChangeMessage);
    this.#unknowing.set(own, { to: new Set(others), tell });
    for (const worker of others) worker.send({ say: "changed", id: own, subjects } satisfies ChangeMessage);
    this.#note(from, own);
  }

  #note(worker: Worker, id: number): void {
    const change = this.#unknowing.get(id);
    change?.to.delete(worker);
    if (!change || change.to.size > 0) return;
    this.#unknowing.delete(id);
    change.tell();
  }
}
