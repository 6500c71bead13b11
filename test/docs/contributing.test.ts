import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";

const decisions = readdirSync("docs/decisions").map((name) => `docs/decisions/${name}`);
const { engines, scripts } = JSON.parse(readFileSync("package.json", "utf8"));

describe.each(["CONTRIBUTING.md", ...decisions])("%s", (page) => {
  const text = readFileSync(page, "utf8");

  it("names and links files that exist", () => {
    const named = [...text.matchAll(/`((?:src|test|schema|docs|bench)\/[\w./-]*\w)/g)].map(
      ([, path = ""]) => path,
    );
    const linked = [...text.matchAll(/\]\(([^):#]+)/g)].map(([, path = ""]) => join(dirname(page), path));
    expect(named.length + linked.length).toBeGreaterThan(0);
    expect([...named, ...linked].filter((path) => !existsSync(path))).toEqual([]);
  });

  it("names npm scripts that exist", () => {
    const named = [...text.matchAll(/`[^`\n]*npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe("The index of decisions", () => {
  it("links every page", () => {
    const index = readFileSync("docs/decisions/README.md", "utf8");
    const pages = readdirSync("docs/decisions").filter((name) => name !== "README.md");
    expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  });
});

describe("The supported Node.js versions", () => {
  const [twenty, twentyTwo, latest] = [...engines.node.matchAll(/(\d+)\.(\d+)\.0/g)];

  it.each(["README.md", "CONTRIBUTING.md", "docs/operations.md"])("are stated in %s", (page) => {
    const older = [twenty, twentyTwo].map(([, major, minor]) => `${major} (${major}.${minor} or later)`);
    const sentence = `You need Node.js ${older.join(", ")}, or ${latest[1]} or later.`;
    expect(readFileSync(page, "utf8").replaceAll("\n", " ")).toContain(sentence);
  });

  it("are those with which .ci/run runs tests", () => {
    const [, versions = ""] = /for version in (.*);/.exec(readFileSync(".ci/run", "utf8")) ?? [];
    expect(versions.split(" ").map((version) => version.split(".")[0])).toEqual(
      [twenty, twentyTwo, latest].map(([, major]) => major),
    );
  });
});
