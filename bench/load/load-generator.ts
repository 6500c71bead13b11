import { type ChildProcess, fork } from "node:child_process";
import type { Job, LoadResult } from "./job.js";
import type { Outcome } from "./load-process.js";

/** The process that makes the load. */
export class Loader {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #orders = 0;

  constructor() {
    this.#child = fork(new URL("load-process.js", import.meta.url), { env: { NODE_ENV: "production" } });
    this.#child.on("message", (outcome: Outcome) => {
      this.#waiting.get(outcome.id)?.(outcome);
      this.#waiting.delete(outcome.id);
    });
  }

  /** Throws when a connection breaks, and for every wrong answer. */
  async run(job: Job): Promise<LoadResult> {
    const id = ++this.#orders;
    const { result, error } = await new Promise<Outcome>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, job });
    });
    if (!result) throw new Error(error);
    if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers, such as ${result.problem}`);
    return result;
  }

  stop(): void {
    this.#child.disconnect();
  }
}
