import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { benchFile } from "../bench-file.js";

const SOAK = "## Soak";
const file = benchFile("RESULTS.md");

/** Writes what a run found; what a soak found before stays below it. */
export function writeResults(report: string): void {
  write(report, parts().soak);
}

/** Writes what a soak found, a section with its heading, below what a run found before. */
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
