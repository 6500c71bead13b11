import { type ChildProcess, fork } from "node:child_process";
import type { Job, LoadResult } from "./job.js";
import type { JobOutcome } from "./load-process.js";

/** Sends requests and measures the responses, in a process of its own. */
export class LoadGenerator {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (outcome: JobOutcome) => void>();
  #jobs = 0;

  constructor() {
    this.#child = fork(new URL("load-process.js", import.meta.url), { env: { NODE_ENV: "production" } });
    this.#child.on("message", (outcome: JobOutcome) => {
      this.#pending.get(outcome.id)?.(outcome);
      this.#pending.delete(outcome.id);
    });
  }

  /** Runs a job. Throws when a connection fails or a response is invalid. */
  async run(job: Job): Promise<LoadResult> {
    const id = ++this.#jobs;
    const { result, error } = await new Promise<JobOutcome>((resolve) => {
      this.#pending.set(id, resolve);
      this.#child.send({ id, job });
    });
    if (!result) throw new Error(error);
    if (result.invalid > 0) throw new Error(`${result.invalid} invalid responses, such as ${result.problem}`);
    return result;
  }

  stop(): void {
    this.#child.disconnect();
  }
}
