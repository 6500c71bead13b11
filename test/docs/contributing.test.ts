import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";

const decisions = readdirSync("docs/decisions").map((name) => `docs/decisions/${name}`);
const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));

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
