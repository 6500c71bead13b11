import type { Job } from "./job.js";

export interface Question {
  readonly body: string;
  /** What its answer must hold. */
  readonly holds: string;
}

/** Hands out the texts of a job in turn; `@@` in them becomes the next number. */
export class Bodies {
  readonly #parts: readonly string[][];
  readonly #holds: string;
  #number: number;
  #index = 0;

  constructor({ bodies, from, holds = "" }: Pick<Job, "bodies" | "from" | "holds">) {
    this.#parts = bodies.map((text) => text.split("@@"));
    this.#holds = holds;
    this.#number = from;
  }

  next(): Question {
    const parts = this.#parts[this.#index] ?? [];
    this.#index = (this.#index + 1) % this.#parts.length;
    if (parts.length === 1) return { body: parts[0] ?? "", holds: this.#holds };
    const number = String(this.#number++);
    return { body: parts.join(number), holds: this.#holds.replace("@@", number) };
  }
}
