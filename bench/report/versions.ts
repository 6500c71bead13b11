import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { benchFile, benchFolder } from "../bench-file.js";
import { findTailcall } from "../contestants/tailcall.js";
import type { Contestant } from "../contestants.js";

/** What was measured: each contestant with the versions of what it is made of. */
export function versionsOf({ title, packages }: Contestant): string {
  const versions = packages.map((name) => {
    const installed = name === "tailcall" ? findTailcall(benchFolder).name : name;
    return `${name} ${versionIn(benchFile(`node_modules/${installed}/package.json`))}`;
  });
  if (packages.length === 0) versions.push(`commit ${commit()}`);
  return `${title}: ${versions.join(", ")}`;
}

/** Where it was measured; no name of a machine. */
export function machine(): string {
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
