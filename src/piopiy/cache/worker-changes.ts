import type { Changes } from "./changes.js";
import type { Subject, Versions } from "./versions.js";

/** What workers and their primary process say to each other about changes. */
export type ChangeMessage =
  | { readonly say: "changed"; readonly id: number; readonly subjects: readonly Subject[] }
  /** All who could have kept something know it. */
  | { readonly say: "known"; readonly id: number };

/** A worker that does not answer in this time is busy with one thing, and answers no requests either. */
const ANSWER_TIMEOUT_MS = 250;

/** The changes of all worker processes of one gateway that has no Redis, told through their primary process. */
export class WorkerChanges implements Changes {
  readonly isCurrent = true;
  readonly #versions: Versions;
  readonly #waiting = new Map<number, () => void>();
  #last = 0;

  constructor(versions: Versions) {
    this.#versions = versions;
    process.on("message", this.#hear);
  }

  async announce(subjects: readonly Subject[]): Promise<void> {
    this.#change(subjects);
    const id = ++this.#last;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_TIMEOUT_MS);
      this.#waiting.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      send({ say: "changed", id, subjects });
    });
    this.#waiting.delete(id);
  }

  close(): void {
    process.off("message", this.#hear);
  }

  readonly #hear = (message: ChangeMessage): void => {
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
  if (process.connected) process.send?.(message);
}
