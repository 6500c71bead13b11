import type { HttpResponse } from "./http-connection.js";
import type { LoadResult } from "./job.js";

/** Validates and counts responses, and stores their latencies. */
export class ResponseStats {
  #latencies: number[] = [];
  #invalid = 0;
  #problem: string | undefined;

  /** @param begun the time at which the request was sent */
  add(response: HttpResponse, begun: number, mustContain: string): void {
    this.#latencies.push(performance.now() - begun);
    const { status, body } = response;
    if (status === 200 && !body.includes('"errors"') && body.includes(mustContain)) return;
    this.#invalid++;
    this.#problem ??= `HTTP ${status}, expected ${mustContain || "no errors"}: ${body.toString().slice(0, 300)}`;
  }

  /** Drops the latencies so far. Invalid responses stay counted. */
  endWarmup(): void {
    this.#latencies = [];
  }

  get responses(): number {
    return this.#latencies.length;
  }

  result(ms: number): LoadResult {
    const sorted = Float64Array.from(this.#latencies).sort();
    const quantile = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      responses: sorted.length,
      invalid: this.#invalid,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ms,
      p50: quantile(0.5),
      p99: quantile(0.99),
    };
  }
}
