import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { buildSchema, parse, validate } from "graphql";

const schema = buildSchema(readFileSync("schema/schema.graphql", "utf8"));
const page = readFileSync("docs/upgrade-0.2.md", "utf8");
const examples = [...page.matchAll(/^```graphql\n# (.*?)\n(.*?)^```$/gms)].map(
  ([, versions = "", query = ""]) => ({ versions, query }),
);

describe("docs/upgrade-0.2.md", () => {
  it("shows an old query before each new one", () => {
    const versions = examples.map((example) => example.versions).filter((text) => !text.includes("and"));
    expect(versions.length).toBeGreaterThan(4);
    expect(versions).toEqual(versions.map((_, index) => (index % 2 === 0 ? "0.1" : "0.2")));
  });

  it.each(
    examples.filter(({ versions }) => versions.endsWith("0.2")),
  )("shows a query that is valid in 0.2: $query", ({ query }) => {
    expect(validate(schema, parse(query))).toEqual([]);
  });

  it("names types of which the old ones are gone and the new ones exist", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|$/gm)].map(([, before = "", after = ""]) => [
      before,
      after,
    ]);
    expect(rows).toHaveLength(6);
    expect(rows.map((names) => names.map((name) => schema.getType(name) !== undefined))).toEqual(
      rows.map(() => [false, true]),
    );
  });
});
