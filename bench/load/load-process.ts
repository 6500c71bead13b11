import type { Job, LoadResult } from "./job.js";
import { runJob } from "./load-patterns.js";

// The process of the load generator. It receives jobs from its parent, runs several in parallel, and returns their results.

export interface JobMessage {
  readonly id: number;
  readonly job: Job;
}

export interface JobOutcome {
  readonly id: number;
  readonly result?: LoadResult;
  readonly error?: string;
}

process.on("message", async ({ id, job }: JobMessage) => {
  try {
    send({ id, result: await runJob(job) });
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => process.exit());

function send(outcome: JobOutcome): void {
  process.send?.(outcome);
}
