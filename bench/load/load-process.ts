import type { Job, LoadResult } from "./job.js";
import { perform } from "./load-patterns.js";

// The process that makes the load. It takes jobs from its parent, several at a time, and tells their results.

export interface Order {
  readonly id: number;
  readonly job: Job;
}

export interface Outcome {
  readonly id: number;
  readonly result?: LoadResult;
  readonly error?: string;
}

process.on("message", async ({ id, job }: Order) => {
  try {
    tell({ id, result: await perform(job) });
  } catch (error) {
    tell({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => process.exit());

function tell(outcome: Outcome): void {
  process.send?.(outcome);
}
