import type { HttpAnswer } from "./http-connection.js";
import type { LoadResult } from "./job.js";

/** Counts answers and keeps how long each took. */
export class Tally {
  #latencies: number[] = [];
  #wrong = 0;
  #problem: string | undefined;

  /** `holds`: what a right answer has in it. */
  add(answer: HttpAnswer, begun: number, holds: string): void {
    this.#latencies.push(performance.now() - begun);
    const { status, body } = answer;
    if (status === 200 && !body.includes('"errors"') && body.includes(holds)) return;
    this.#wrong++;
    this.#problem ??= `HTTP ${status}, wanted ${holds || "no errors"}: ${body.toString().slice(0, 300)}`;
  }

  /** Forgets the warm-up, save what went wrong in it. */
  restart(): void {
    this.#latencies = [];
  }

  get answers(): number {
    return this.#latencies.length;
  }

  result(ms: number): LoadResult {
    const sorted = Float64Array.from(this.#latencies).sort();
    const quantile = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      answers: sorted.length,
      wrong: this.#wrong,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ms,
      p50: quantile(0.5),
      p99: quantile(0.99),
    };
  }
}
