import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { unannouncedBreakingChanges } from "../support/breaking-changes.js";

const before = `
  type Query { a(x: Int): A, b: E, c(i: I): Int }
  type A @key(fields: "id") { id: ID! name: String }
  enum E { ONE TWO }
  input I { y: Int }
`;
const unreleased = (...lines: string[]) =>
  `# Changelog\n\n## [Unreleased]\n\n### Breaking\n\n${lines.map((line) => `- ${line}\n`).join("")}\n### Added\n`;

describe("The guard against breaking the graph", () => {
  it.each([
    ["a field is removed", "name: String", "", "A.name"],
    ["an argument is removed", "(x: Int)", "", "Query.a.x"],
    ["an argument becomes required", "(x: Int)", "(x: Int!)", "Query.a.x"],
    ["a required argument is added", "(x: Int)", "(x: Int, z: Int!)", "Query.a.z"],
    ["an input field becomes required", "y: Int", "y: Int!", "I.y"],
    ["a field may become null", "id: ID!", "id: ID", "A.id"],
    ["an enum value is removed", "ONE TWO", "ONE", "E.TWO"],
    ["an entity loses its key", '@key(fields: "id")', "", "A.@key"],
  ])("speaks up when %s, unless the changelog announces it", async (_title, from, to, element) => {
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
    ["a description is added", "name: String", '"The name." name: String'],
    ["a scope is asked for", "name: String", 'name: String @requiresScopes(scopes: [["s"]])'],
  ])("keeps silent when %s", async (_title, from, to) => {
    expect(await unannouncedBreakingChanges(before, before.replace(from, to), unreleased())).toEqual([]);
  });

  it("takes no announcement from an earlier release", async () => {
    const old =
      unreleased().replace("### Breaking\n", "") +
      unreleased("`A.name` goes.").replace("[Unreleased]", "[0.1.0]");
    expect(await unannouncedBreakingChanges(before, before.replace("name: String", ""), old)).toHaveLength(1);
  });

  const previous = previousSchema();
  it(`finds no unannounced breaking change since ${previous ? "the previous commit" : "nothing: there is no previous commit"}`, async () => {
    const current = readFileSync("schema/schema.graphql", "utf8");
    const changelog = readFileSync("CHANGELOG.md", "utf8");
    const found = await unannouncedBreakingChanges(previous ?? current, current, changelog);
    const advice = 'Keep the old element, or name it in CHANGELOG.md under "### Breaking".';
    expect(found.length > 0 ? [advice, ...found] : []).toEqual([]);
  });
});

/** The schema of the commit before the one that is checked out; undefined outside git, or where history is cut off. */
function previousSchema(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    const changed = git("status", "--porcelain", "schema/schema.graphql") !== "";
    return git("show", `${changed ? "HEAD" : "HEAD~1"}:schema/schema.graphql`);
  } catch {
    return undefined;
  }
}
