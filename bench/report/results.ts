/** The figures of one contestant in one workload and one round, by name. */
export type Measures = Readonly<Record<string, number>>;

/** Collects the figures of every contestant and workload in all rounds. */
export class Results {
  readonly #rounds = new Map<string, Measures[]>();
  readonly #problems = new Map<string, string>();

  add(workload: string, contestant: string, measures: Measures): void {
    const key = `${workload} ${contestant}`;
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), measures]);
  }

  /** Records a failure. It makes all rounds of this workload and contestant invalid. */
  fail(workload: string, contestant: string, problem: string): void {
    const key = `${workload} ${contestant}`;
    if (!this.#problems.has(key)) this.#problems.set(key, problem);
  }

  problem(workload: string, contestant: string): string | undefined {
    return this.#problems.get(`${workload} ${contestant}`);
  }

  get problems(): readonly (readonly [string, string])[] {
    return [...this.#problems];
  }

  /** Returns the median over the rounds, or undefined when it was not measured or is invalid. */
  value(workload: string, contestant: string, measure: string): number | undefined {
    const key = `${workload} ${contestant}`;
    const values = (this.#rounds.get(key) ?? []).flatMap((measures) => measures[measure] ?? []);
    return values.length === 0 || this.#problems.has(key) ? undefined : median(values);
  }

  /** Returns the ratio of the medians of two contestants. */
  ratio(workload: string, contestant: string, to: string, measure: string): number | undefined {
    const value = this.value(workload, contestant, measure);
    const base = this.value(workload, to, measure);
    return value === undefined || base === undefined ? undefined : value / base;
  }
}

/** Returns the median: the middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
