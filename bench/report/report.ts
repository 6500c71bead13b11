import { readFileSync } from "node:fs";
import { benchFile } from "../bench-file.js";
import type { Contestant } from "../contestants.js";
import type { Options } from "../options.js";
import { goals } from "./goals.js";
import type { Results } from "./results.js";
import { tables } from "./tables.js";
import { machine, versionsOf } from "./versions.js";

/** The whole report, as Markdown. */
export function report(results: Results, contestants: readonly Contestant[], options: Options): string {
  const { rounds, seconds, delayMs } = options;
  const problems = results.problems.map(([what, problem]) => `- ${what}: ${problem.replaceAll(/\s+/g, " ")}`);
  const absent = contestants.filter(({ name }) => results.problem("all", name) !== undefined);
  const versions = contestants.filter((contestant) => !absent.includes(contestant)).map(versionsOf);
  return [
    "# Results",
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
    `Medians of ${rounds} rounds, ${seconds} s of load each, all on one machine: load, contestant and upstream share its cores. Trust the ratios. [README.md](README.md) tells how it is measured.`,
    `Throughput is measured with an upstream that takes ${delayMs} ms.`,
    tables(results, contestants),
    "## Goals",
    goals(results, contestants),
    ...(problems.length > 0 ? ["## Not measured, or invalid", problems.join("\n")] : []),
    readFileSync(benchFile("notes.md"), "utf8").trim(),
    "## Versions",
    versions.map((text) => `- ${text}`).join("\n"),
  ].join("\n\n");
}
