import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { comparisonBase, git, unannouncedBreakingChanges } from "./breaking-changes.js";

const before = `
  type Query { a(x: Int): A, b: E, c(i: I): Int, d(n: Int! = 10): Int }
  type A @key(fields: "id") { "An id." id: ID! name: String, s: Int @requiresScopes(scopes: [["t"]]) @tag(name: "secret") }
  enum E { ONE TWO }
  input I { y: Int, p: Int! = 1, e: F }
  enum F { THREE FOUR }
`;
const unreleased = (...lines: string[]) =>
  `# Changelog\n\n## [Unreleased]\n\n### Breaking\n\n${lines.map((line) => `- ${line}\n`).join("")}\n### Added\n`;

describe("breakingChanges", () => {
  it.each([
    ["a field is removed", "name: String", "", "A.name"],
    ["an argument is removed", "(x: Int)", "", "Query.a.x"],
    ["an argument becomes required", "(x: Int)", "(x: Int!)", "Query.a.x"],
    ["a required argument is added", "(x: Int)", "(x: Int, z: Int!)", "Query.a.z"],
    ["an input field becomes required", "y: Int", "y: Int!", "I.y"],
    ["a field may become null", "id: ID!", "id: ID", "A.id"],
    ["an enum value of an output is removed", "ONE TWO", "ONE", "E.TWO"],
    ["an enum value of an input is removed", "THREE FOUR", "THREE", "F.FOUR"],
    ["a required argument loses its default", "n: Int! = 10", "n: Int!", "Query.d.n"],
    ["a required input field loses its default", "p: Int! = 1", "p: Int!", "I.p"],
    ["an entity loses its key", '@key(fields: "id")', "", "A.@key"],
    ["an entity's key changes", '@key(fields: "id")', '@key(fields: "id name")', "A.@key.fields"],
  ])("reports that %s, unless the changelog announces it", async (_title, from, to, element) => {
    const after = before.replace(from, to);
    const found = await unannouncedBreakingChanges(before, after, unreleased("`Other.thing` is gone."));
    expect(found).toEqual([expect.stringContaining(`\`${element}\``)]);
    expect(await unannouncedBreakingChanges(before, after, unreleased(`\`${element}\` changes.`))).toEqual(
      [],
    );
  });

  it.each([
    ["nothing changes", "", ""],
    ["a field is added", "name: String", "name: String more: Int"],
    ["an optional argument is added", "(x: Int)", "(x: Int, z: Int)"],
    ["a required argument with a default is added", "(x: Int)", "(x: Int, z: Int! = 1)"],
    ["a default changes", "n: Int! = 10", "n: Int! = 20"],
    ["a description changes", "An id.", "The id."],
    ["a scope is required", "name: String", 'name: String @requiresScopes(scopes: [["s"]])'],
    ["a scope is no longer required", ' @requiresScopes(scopes: [["t"]])', ""],
    ["federation is added", "type Query", 'extend schema @link(url: "u", import: ["@tag"]) type Query'],
    ["a tag is removed", ' @tag(name: "secret")', ""],
  ])("reports nothing when %s", async (_title, from, to) => {
    expect(await unannouncedBreakingChanges(before, before.replace(from, to), unreleased())).toEqual([]);
  });

  it("ignores announcements of earlier releases", async () => {
    const old =
      unreleased().replace("### Breaking\n", "") +
      unreleased("`A.name` goes.").replace("[Unreleased]", "[0.1.0]");
    expect(await unannouncedBreakingChanges(before, before.replace("name: String", ""), old)).toHaveLength(1);
  });

  it("matches a line of the changelog with the first element that it names", async () => {
    const after = before.replace("name: String", "").replace("ONE TWO", "ONE");
    const found = await unannouncedBreakingChanges(before, after, unreleased("`A.name` goes, as `E.TWO`."));
    expect(found).toEqual([expect.stringContaining("`E.TWO`")]);
  });

  it("compares with the commit before HEAD, and reports when there is none", async () => {
    const directory = mkdtempSync(join(tmpdir(), "breaking-changes-"));
    const clone = join(directory, "clone");
    const write = (sdl: string) => writeFileSync(join(directory, "schema/schema.graphql"), sdl);
    const commit = (sdl: string) => {
      write(sdl);
      git(directory, "add", "schema");
      const author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
      git(directory, ...author, "commit", "--quiet", "--no-verify", "--message", "A commit");
    };
    const file = "schema/schema.graphql";
    const base = () => comparisonBase(directory, file, true);
    try {
      mkdirSync(join(directory, "schema"));
      expect(base()).toEqual({ name: "nothing: there is no git repository" });
      mkdirSync(join(directory, ".git"));
      expect(base).toThrow("not a git repository");
      expect(comparisonBase(directory, file, false)).toEqual({ name: "nothing: git does not answer" });
      git(directory, "init", "--quiet");
      commit("first");
      expect(base()).toEqual({ name: "nothing: there is no previous commit here" });
      commit("second");
      write("third");
      expect(base()).toEqual({ name: "the previous commit", sdl: "first" });
      mkdirSync(join(clone, ".git"), { recursive: true });
      git(clone, "init", "--quiet");
      git(clone, "fetch", "--quiet", "--depth=1", `file://${directory}`, "HEAD");
      git(clone, "reset", "--quiet", "--hard", "FETCH_HEAD");
      expect(comparisonBase(clone, file, true)).toEqual({
        name: "nothing: there is no previous commit here",
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  const files = ["schema/schema.graphql", "schema/subgraph.graphql"];
  const bases = files.map((file) => ({
    file,
    ...comparisonBase(process.cwd(), file, process.env.CI === "true"),
  }));
  it.each(bases)("finds no unannounced breaking change of $file since $name", async ({ file, sdl }) => {
    const current = readFileSync(file, "utf8");
    const found = await unannouncedBreakingChanges(
      sdl ?? current,
      current,
      readFileSync("CHANGELOG.md", "utf8"),
    );
    const advice =
      'Keep each element, or name it in CHANGELOG.md: "- `Element.path` ..." under "### Breaking" in [Unreleased].';
    expect(found.length > 0 ? [advice, ...found] : []).toEqual([]);
  });
});
