import { median } from "./median.js";
import { table } from "./table.js";

/** More growth than this between the first third and the last is not flat. */
const MOST_GROWTH = 0.1;
const BARS = "▁▂▃▄▅▆▇█";

export interface SoakReport {
  /** A section of Markdown. */
  readonly text: string;
  readonly isFlat: boolean;
}

/** The memory over time in MB, drawn and judged. The first minute, in which code and caches settle, does not count. */
export function soakReport(samples: readonly number[], everyMs: number, answers: number): SoakReport {
  const settled = samples.length * everyMs > 180_000 ? samples.slice(Math.ceil(60_000 / everyMs)) : samples;
  const third = Math.max(1, Math.floor(settled.length / 3));
  const [first, last] = [median(settled.slice(0, third)), median(settled.slice(-third))];
  const hours = ((settled.length - third) * everyMs) / 3_600_000;
  const isFlat = last <= first * (1 + MOST_GROWTH);
  const minutes = Math.round(((samples.length - 1) * everyMs) / 60_000);
  const text = [
    "## Soak",
    `Written by \`npm run bench -- soak\` on ${new Date().toISOString().slice(0, 10)}: ${minutes} minutes, ${answers} answers, all right. Memory every ${everyMs / 1000} s:`,
    sparkline(samples),
    table(
      ["", "MB"],
      [
        ["at the start", samples[0]],
        ["least", Math.min(...samples)],
        ["most", Math.max(...samples)],
        ["first third, median", first],
        ["last third, median", last],
        ["slope between them, an hour", (last - first) / hours],
      ].map(([what, megabytes]) => [String(what), Number(megabytes).toFixed(0)]),
    ),
    isFlat ? "Flat." : `NOT FLAT: more than ${MOST_GROWTH * 100} % above the first third.`,
  ].join("\n\n");
  return { text, isFlat };
}

function sparkline(samples: readonly number[]): string {
  const most = Math.max(...samples);
  return samples.map((value) => BARS[Math.min(7, Math.floor((value / most) * 8))]).join("");
}
