// Moves the entries of "Unreleased" in CHANGELOG.md to a section with the version in package.json and today's date (UTC).
// `npm version` runs it before it commits: see `npm run release`.
import { readFileSync, writeFileSync } from "node:fs";

const HEADING = "## [Unreleased]\n";

process.chdir(import.meta.dirname);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const changelog = readFileSync("CHANGELOG.md", "utf8");
const [before = "", entries = ""] = changelog.split(HEADING);
if (/^\s*(## |$)/.test(entries)) {
  throw new Error(
    'CHANGELOG.md has no entries under "## [Unreleased]". Add them, and run `git checkout package.json package-lock.json` first.',
  );
}
const date = new Date().toISOString().slice(0, 10);
writeFileSync("CHANGELOG.md", `${before}${HEADING}\n## [${version}] - ${date}\n${entries}`);
