import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

/** Turns of phrase that cost readers a second reading, and what to write instead. */
const turns: readonly (readonly [turn: string, instead: string])[] = [
  ["anew", "again, bypassing the cache"],
  ["as it stands", "unchanged"],
  ["at once", "immediately, together"],
  ["be it", "both, either"],
  ["became of|becomes? of", "the result of"],
  ["but for", "except"],
  ["by (it|them)sel(f|ves)", "automatically, alone"],
  ["everybody|everyone else", "all clients"],
  ["for good", "permanently"],
  ["forgets?", "removes, drops"],
  ["goes? on", "continues"],
  ["in vain", "without success"],
  ["judge[sd]?|judging", "validate"],
  ["lest", "so that … not"],
  ["mend(s|ed|ing)?", "fix"],
  ["(some|any)body|nobody(?! answers)", "no client, a person"],
  ["out of order", "unavailable"],
  ["pass(es|ed|ing)? over", "skip"],
  ["so long as", "while"],
  ["st(an|oo)ds? in", "is served instead"],
  ["tells?|told|untold|telling", "report, return, distinguish"],
  ["turned away", "rejected"],
  ["un?wise(ly)?", "discouraged"],
  ["who(m|se)?ever", "each client that"],
];

const patterns = turns.map(([turn, instead]) => [new RegExp(`\\b(${turn})\\b`, "i"), instead] as const);

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|ts|graphql)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));

const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".env.example"];
const files = [...pages, ...["docs", "schema", "src"].flatMap(filesOf)];

describe("The words of a person's text are plain", () => {
  it.each(files)("in %s", (file) => {
    const lines = readFileSync(file, "utf8").split("\n");
    const found = lines.flatMap((line, index) =>
      patterns.flatMap(([pattern, instead]) => {
        const [match] = line.match(pattern) ?? [];
        return match ? [`${file}:${index + 1}: write "${instead}", not "${match}"`] : [];
      }),
    );
    expect(found).toEqual([]);
  });
});
