import { Heartbeat } from "./heartbeat.js";
import type { Changes } from "./invalidation.js";
import type { Subject, Versions } from "./versions.js";

/** What workers and their primary process say to each other about changes. */
export type ChangeMessage =
  | { readonly say: "changed"; readonly id: number; readonly subjects: readonly Subject[] }
  /** All workers that may serve from cache have heard of the change. */
  | { readonly say: "known"; readonly id: number }
  /** Comes back from the primary process, after all messages that were queued before it. */
  | { readonly say: "heartbeat"; readonly beat: string };

const HEARTBEAT_MS = 100;
/** How old the last heartbeat may be. Who has not confirmed a change after this time serves nothing from cache. */
export const WORKER_TRUST_MS = 500;
/**
 * The primary process waits `WORKER_TRUST_MS` for the other workers. It takes longer only if it is suspended itself, and
 * then no heartbeat comes back to any worker.
 */
const CONFIRMATION_TIMEOUT_MS = 2 * WORKER_TRUST_MS;

/** Invalidation among the worker processes of one gateway that has no Redis, by messages through their primary process. */
export class WorkerChanges implements Changes {
  readonly #versions: Versions;
  readonly #waiting = new Map<number, () => void>();
  readonly #heartbeat: Heartbeat;
  #echoed: () => void = () => {};
  #last = 0;

  constructor(versions: Versions) {
    this.#versions = versions;
    process.on("message", this.#hear);
    this.#heartbeat = new Heartbeat(HEARTBEAT_MS, WORKER_TRUST_MS, (beat) => {
      send({ say: "heartbeat", beat });
      return new Promise<void>((resolve) => {
        this.#echoed = resolve;
      });
    });
    this.#heartbeat.beat();
  }

  get isCurrent(): boolean {
    return this.#heartbeat.isFresh;
  }

  async announce(subjects: readonly Subject[]): Promise<void> {
    this.#change(subjects);
    const id = ++this.#last;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CONFIRMATION_TIMEOUT_MS);
      this.#waiting.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      send({ say: "changed", id, subjects });
    });
    this.#waiting.delete(id);
  }

  close(): void {
    this.#heartbeat.stop();
    process.off("message", this.#hear);
  }

  readonly #hear = (message: ChangeMessage): void => {
    if (message.say === "heartbeat") {
      this.#heartbeat.hear(message.beat);
      this.#echoed();
    }
    if (message.say === "known") this.#waiting.get(message.id)?.();
    if (message.say !== "changed") return;
    this.#change(message.subjects);
    send({ say: "known", id: message.id });
  };

  #change(subjects: readonly Subject[]): void {
    for (const subject of subjects) this.#versions.change(subject);
  }
}

function send(message: ChangeMessage): void {
  // Without a callback, a primary process that has just died would be an unhandled error event.
  process.send?.(message, undefined, undefined, () => {});
}
