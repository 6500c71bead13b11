import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const changelog = (entries: string) => `# Changelog\n\n## [Unreleased]\n\n${entries}## [0.1.0]\n\nFirst.\n`;
const entries = "### Added\n\n- A field.\n\n";

/** A git repository with the release scripts, in which `npm test` succeeds and takes no time. */
let directory: string;

/** Runs a program in the repository. Git reads no settings of this machine. */
function run(program: string, ...args: string[]): { status: number | null; output: string } {
  const person = { NAME: "A", EMAIL: "a@example.com" };
  const names = Object.entries(person).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", ...Object.fromEntries(names) };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: directory, env, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

const git = (...args: string[]) => run("git", ...args).output.trim();
const read = (name: string) => readFileSync(join(directory, name), "utf8");
const write = (name: string, content: string) => writeFileSync(join(directory, name), content);
const version = () => JSON.parse(read("package.json")).version;

function commit(): void {
  git("add", "--all");
  git("commit", "--quiet", "--message", "Change");
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "release-"));
  for (const file of ["date-changelog.js", "package-lock.json"]) cpSync(file, join(directory, file));
  const own = JSON.parse(readFileSync("package.json", "utf8"));
  write(
    "package.json",
    JSON.stringify({ ...own, version: "0.2.0", scripts: { ...own.scripts, test: "exit 0" } }),
  );
  write("CHANGELOG.md", changelog(entries));
  git("init", "--quiet");
  commit();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("npm run release", () => {
  it.each([
    ["0.2.0", "0.2.0"],
    ["minor", "0.3.0"],
  ])("%s sets version %s, dates the changelog section, commits and tags", (argument, expected) => {
    const earliest = new Date().toISOString().slice(0, 10);
    expect(run("npm", "run", "release", "--", argument)).toMatchObject({ status: 0 });
    const latest = new Date().toISOString().slice(0, 10);
    const dated = [earliest, latest].map((date) => changelog(`## [${expected}] - ${date}\n\n${entries}`));
    expect(dated).toContain(read("CHANGELOG.md"));
    expect(version()).toBe(expected);
    expect(JSON.parse(read("package-lock.json")).version).toBe(expected);
    expect(git("log", "-1", "--format=%s %D")).toMatch(
      new RegExp(`^Release ${expected} .*tag: v${expected}`),
    );
    expect(git("status", "--porcelain")).toBe("");
  });

  it("changes nothing while a tracked file has uncommitted changes", () => {
    write("CHANGELOG.md", changelog("### Added\n\n- Another field.\n\n"));
    const { status, output } = run("npm", "run", "release", "--", "minor");
    expect([status, output]).toEqual([1, expect.stringContaining("Git working directory not clean.")]);
    expect([version(), git("tag")]).toEqual(["0.2.0", ""]);
  });

  it("changes nothing when a test fails", () => {
    write("package.json", read("package.json").replace("exit 0", "exit 3"));
    commit();
    expect(run("npm", "run", "release", "--", "minor").status).toBe(3);
    expect([version(), git("tag"), git("status", "--porcelain")]).toEqual(["0.2.0", "", ""]);
  });

  it("commits nothing when the changelog has no entries", () => {
    write("CHANGELOG.md", changelog(""));
    commit();
    const { status, output } = run("npm", "run", "release", "--", "minor");
    expect([status, output]).toEqual([1, expect.stringContaining('no entries under "## [Unreleased]"')]);
    expect([git("log", "-1", "--format=%s"), git("tag")]).toEqual(["Change", ""]);
  });
});
