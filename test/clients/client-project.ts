import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const projects: string[] = [];

/** Creates a directory whose modules can import the packages of this repository; `removeProjects` removes it. */
export function newProject(): string {
  const directory = mkdtempSync(join(tmpdir(), "client-"));
  projects.push(directory);
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  return directory;
}

/** Removes all directories of `newProject`. */
export function removeProjects(): void {
  for (const directory of projects.splice(0)) rmSync(directory, { recursive: true });
}
