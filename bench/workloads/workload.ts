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
  /** The number of the round, counted from 0. */
  readonly round: number;
}

/** The context of a run. */
export interface RunContext extends WorkloadContext {
  readonly environment: Readonly<Record<string, string>>;
  readonly results: Results;
  onProgress(text: string): void;
}

/** A measurement that every round makes of every contestant that supports it. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Returns undefined when the contestant does not support it. */
  measure(running: RunningContestant, context: WorkloadContext): Promise<Measures | undefined>;
}
