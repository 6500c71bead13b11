import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

/** Whether the long versions run, which write their results to docs/chaos.md. */
export const isLong = process.env.CHAOS === "long";

const FILE = "docs/chaos.md";

/** Collects the results of a long run, one line for each goal, reached or not. A short run only prints them. */
export class Report {
  readonly #part: string;
  readonly #lines: string[] = [];

  /** @param part the letter of the part; @param conditions the seed and the settings */
  constructor(part: string, conditions: string) {
    this.#part = part;
    this.#lines.push(`- (${part}) ${conditions}`);
    process.stdout.write(`chaos (${part}): ${conditions}\n`);
  }

  goal(goal: string, figure: string, reached: boolean): void {
    this.#lines.push(`| (${this.#part}) ${goal} | ${figure} | ${reached ? "yes" : "**no**"} |`);
    process.stdout.write(`chaos (${this.#part}): ${goal}: ${figure}${reached ? "" : " (MISSED)"}\n`);
  }

  /** Writes the lines into the file, and leaves those of the other parts unchanged. */
  write(): void {
    if (!isLong) return;
    const before = existsSync(FILE) ? readFileSync(FILE, "utf8").split("\n") : [];
    const others = before.filter((line) => /^[-|] \(/.test(line) && !line.includes(`(${this.#part})`));
    const lines = [...others, ...this.#lines].toSorted((one, other) =>
      letterOf(one).localeCompare(letterOf(other)),
    );
    const text = [
      "# Results of the chaos tests",
      "",
      `Written by \`npm run test:chaos\` on ${new Date().toISOString().slice(0, 10)}, Node.js ${process.version},`,
      `${cpus().length} CPUs with a load average of ${loadavg()[0]?.toFixed(1)} at the end. Gateway, proxy, emulator and clients share one process, unless`,
      "a line says otherwise.",
      "",
      ...lines.filter((line) => line.startsWith("- ")),
      "",
      "| goal | figure | reached |",
      "| --- | --- | --- |",
      ...lines.filter((line) => line.startsWith("| ")),
      "",
    ].join("\n");
    mkdirSync("docs", { recursive: true });
    writeFileSync(FILE, text);
  }
}

/** Returns the value below which this part of all values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function letterOf(line: string): string {
  return /\((\w)\)/.exec(line)?.[1] ?? "";
}
