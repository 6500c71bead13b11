import type { LoadGenerator } from "../load/load-generator.js";
import type { RunningContestant } from "../processes/running-contestant.js";
import type { Measures, Results } from "../report/results.js";
import type { Upstream } from "../upstream/upstream.js";
import type { Names } from "./endpoints.js";

export interface WorkloadContext {
  readonly loadGenerator: LoadGenerator;
  readonly upstream: Upstream;
  readonly names: Names;
  readonly ms: number;
  readonly warmupMs: number;
  readonly openLoopMs: number;
  readonly delayMs: number;
  /** Counts from 0. */
  readonly round: number;
}

/** Everything that a run needs. */
export interface RunContext extends WorkloadContext {
  readonly environment: Readonly<Record<string, string>>;
  readonly results: Results;
  onProgress(text: string): void;
}

/** Something that is measured in every round of every contestant that can do it. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Undefined when the contestant has no way to do it. */
  measure(running: RunningContestant, context: WorkloadContext): Promise<Measures | undefined>;
}
