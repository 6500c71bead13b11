import type { Worker } from "node:cluster";
import { Heartbeat } from "./heartbeat.js";
import type { Invalidation, Versions } from "./invalidation.js";

/** The messages between workers and their primary process. */
type InvalidationMessage =
  | { readonly type: "changed"; readonly id: number; readonly subjects: readonly string[] }
  /** All workers that may serve from cache have received the change. */
  | { readonly type: "confirmed"; readonly id: number }
  /** The primary process sends the heartbeat back, after all messages that were queued before it. */
  | { readonly type: "heartbeat"; readonly beat: string };

const HEARTBEAT_MS = 100;
/** The maximum age of the last heartbeat. A worker that has not confirmed a change after this time serves nothing from cache. */
const TRUST_MS = 500;
/**
 * How long a worker waits until its change is confirmed. The primary process waits only `TRUST_MS` for the other workers. If it
 * takes longer, it was suspended, and no heartbeat came back to any worker in this time.
 */
const CONFIRMATION_TIMEOUT_MS = 2 * TRUST_MS;

/** Invalidation among the worker processes of one gateway that has no Redis, by messages through their primary process. */
export class WorkerInvalidation implements Invalidation {
  readonly #versions: Versions;
  readonly #unconfirmed = new Map<number, () => void>();
  readonly #heartbeat: Heartbeat;
  #echoed: () => void = () => {};
  #last = 0;

  constructor(versions: Versions) {
    this.#versions = versions;
    process.on("message", this.#onMessage);
    this.#heartbeat = new Heartbeat(HEARTBEAT_MS, TRUST_MS, (beat) => {
      sendToPrimary({ type: "heartbeat", beat });
      return new Promise<void>((resolve) => {
        this.#echoed = resolve;
      });
    });
    this.#heartbeat.beat();
  }

  get isCurrent(): boolean {
    return this.#heartbeat.isFresh;
  }

  async publish(subjects: readonly string[]): Promise<void> {
    this.#change(subjects);
    const id = ++this.#last;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CONFIRMATION_TIMEOUT_MS);
      this.#unconfirmed.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      sendToPrimary({ type: "changed", id, subjects });
    });
    this.#unconfirmed.delete(id);
  }

  close(): void {
    this.#heartbeat.stop();
    process.off("message", this.#onMessage);
  }

  readonly #onMessage = (message: InvalidationMessage): void => {
    if (message.type === "heartbeat") {
      this.#heartbeat.hear(message.beat);
      this.#echoed();
    }
    if (message.type === "confirmed") this.#unconfirmed.get(message.id)?.();
    if (message.type !== "changed") return;
    this.#change(message.subjects);
    sendToPrimary({ type: "confirmed", id: message.id });
  };

  #change(subjects: readonly string[]): void {
    for (const subject of subjects) this.#versions.change(subject);
  }
}

function sendToPrimary(message: InvalidationMessage): void {
  // Without a callback, a message to a primary process that has just exited causes an unhandled error event.
  process.send?.(message, undefined, undefined, () => {});
}

/** A change that was relayed and that some workers have not confirmed yet. */
interface PendingChange {
  readonly unconfirmed: Set<Worker>;
  readonly end: () => void;
}

/**
 * Relays the changes of each worker to all other workers. Runs in the primary process. A change is confirmed when each of these
 * workers has confirmed it, or serves nothing from cache because its heartbeats no longer come back.
 */
export class InvalidationRelay {
  readonly #workers = new Set<Worker>();
  readonly #pending = new Map<number, PendingChange>();
  #last = 0;

  add(worker: Worker): void {
    this.#workers.add(worker);
    worker.on("message", (message: InvalidationMessage) => {
      if (message.type === "heartbeat") sendToWorker(worker, message);
      if (message.type === "changed") this.#relay(worker, message);
      if (message.type === "confirmed") this.#confirm(worker, message.id);
    });
    worker.on("exit", () => {
      this.#workers.delete(worker);
      for (const id of this.#pending.keys()) this.#confirm(worker, id);
    });
  }

  #relay(from: Worker, { id, subjects }: InvalidationMessage & { type: "changed" }): void {
    const own = ++this.#last;
    const end = () => {
      clearTimeout(timer);
      this.#pending.delete(own);
      sendToWorker(from, { type: "confirmed", id });
    };
    const timer = setTimeout(end, TRUST_MS);
    this.#pending.set(own, { unconfirmed: new Set(this.#workers), end });
    for (const worker of this.#workers) {
      if (worker !== from) sendToWorker(worker, { type: "changed", id: own, subjects });
    }
    this.#confirm(from, own);
  }

  #confirm(worker: Worker, id: number): void {
    const change = this.#pending.get(id);
    change?.unconfirmed.delete(worker);
    if (change?.unconfirmed.size === 0) change.end();
  }
}

function sendToWorker(worker: Worker, message: InvalidationMessage): void {
  // A worker may exit at any time. Its exit event then ends the wait for its confirmations.
  worker.send(message, () => {});
}
