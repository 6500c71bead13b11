import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { benchFile, benchFolder } from "../bench-file.js";
import { findTailcall } from "../contestants/tailcall.js";
import type { Contestant } from "../contestants.js";
import type { Options } from "../options.js";
import { goals } from "./goals.js";
import type { Results } from "./results.js";
import { tables } from "./tables.js";

/** Returns the whole report as Markdown. */
export function report(results: Results, contestants: readonly Contestant[], options: Options): string {
  const { rounds, seconds, delayMs } = options;
  const problems = results.problems.map(([what, problem]) => `- ${what}: ${problem.replaceAll(/\s+/g, " ")}`);
  const absent = contestants.filter(({ name }) => results.problem("all", name) !== undefined);
  const versions = contestants.filter((contestant) => !absent.includes(contestant)).map(versionsOf);
  return [
    "# Results",
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
    `The figures are medians of ${rounds} rounds with ${seconds} s of load each. Load, contestant and upstream share the cores of one machine: trust the ratios. [README.md](README.md) describes the method.`,
    `Throughput is measured with an upstream that takes ${delayMs} ms.`,
    tables(results, contestants),
    "## Goals",
    goals(results, contestants),
    ...(problems.length > 0 ? ["## Invalid measurements", problems.join("\n")] : []),
    readFileSync(benchFile("notes.md"), "utf8").trim(),
    "## Versions",
    versions.map((text) => `- ${text}`).join("\n"),
  ].join("\n\n");
}

/** Returns the title of a contestant with the versions of its packages. */
function versionsOf({ title, packages }: Contestant): string {
  const versions = packages.map((name) => {
    const installed = name === "tailcall" ? findTailcall(benchFolder).name : name;
    return `${name} ${versionIn(benchFile(`node_modules/${installed}/package.json`))}`;
  });
  if (packages.length === 0) versions.push(`commit ${commit()}`);
  return `${title}: ${versions.join(", ")}`;
}

/** Describes the machine, without its name. */
function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${gigabytes} GB; Node.js ${process.versions.node}, ${process.platform}`;
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function commit(): string {
  try {
    const options = { cwd: benchFolder, encoding: "utf8", stdio: "pipe" } as const;
    return execFileSync("git", ["describe", "--always", "--dirty"], options).trim();
  } catch {
    return "unknown";
  }
}

const SOAK = "## Soak";
const file = benchFile("RESULTS.md");

/** Writes the results of a run. The results of the last soak test stay below them. */
export function writeResults(report: string): void {
  write(report, parts().soak);
}

/** Writes the results of a soak test, a section with its heading, below the results of the last run. */
export function writeSoak(section: string): void {
  write(parts().run, section);
}

function parts(): { run: string; soak: string } {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const at = text.indexOf(SOAK);
  return at < 0 ? { run: text, soak: "" } : { run: text.slice(0, at), soak: text.slice(at) };
}

function write(run: string, soak: string): void {
  writeFileSync(
    file,
    `${[run, soak]
      .map((part) => part.trim())
      .filter(Boolean)
      .join("\n\n")}\n`,
  );
}
