import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { foldCase, orderKey } from "../../src/sip/username-order.js";

const LAST_CODE_POINT = 0x10ffff;
const escaped = (text: string) => text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");

describe("foldCase", () => {
  /** The characters that have another case. */
  const cased: string[] = [];
  for (let code = 0; code <= LAST_CODE_POINT; code++) {
    const character = String.fromCodePoint(code);
    const others = [character.toLowerCase(), character.toUpperCase(), foldCase(character)];
    if (others.some((other) => other !== character)) cased.push(character);
  }
  const folded = [...new Set(cased.map(foldCase))];

  it("folds exactly the characters that a regular expression matches without regard to case", () => {
    // A regular expression with the flags i and u uses the simple case folding of Unicode.
    const all = folded.join("");
    const different = cased.filter((character) => {
      const matches = all.match(new RegExp(escaped(character), "giu")) ?? [];
      return matches.length !== 1 || matches[0] !== foldCase(character);
    });
    expect(cased.length).toBeGreaterThan(2700);
    expect(different).toEqual([]);
  });

  it("does not change a folded character", () => {
    expect(folded.filter((character) => foldCase(character) !== character)).toEqual([]);
  });

  it.each([
    ["USER-1", "user-1"],
    ["ÄÖÜ", "äöü"],
    ["STRASSE ẞ", "strasse ß"],
    ["ΣΊΣΥΦΟΣ", "σίσυφοσ"],
    ["σίσυφος", "σίσυφοσ"],
    ["İI", "İi"],
    ["ıi", "ıi"],
    ["\u212a", "k"],
    ["ꭰ", "Ꭰ"],
    ["𐐀", "𐐨"],
    ["", ""],
  ])("folds %j to %j", (text, expected) => {
    expect(foldCase(text)).toBe(expected);
  });
});

describe("orderKey", () => {
  const codePoints = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const compareCodePoints = (one: string, other: string) => {
    const [left, right] = [codePoints(one), codePoints(other)];
    const index = left.findIndex((code, place) => code !== right[place]);
    return index < 0 ? left.length - right.length : (left[index] ?? 0) - (right[index] ?? -1);
  };
  const sorted = (names: readonly string[]) =>
    [...names].sort((one, other) => (orderKey(one) < orderKey(other) ? -1 : 1));

  it("orders names by their code points without regard to case, and equal ones by their code points", () => {
    const names = ["b", "B", "a", "A", "ab", "Ab", "a-b", "10", "9", "\uff5e", "😀", "é", "É", "_", "z"];
    expect(sorted(names)).toEqual([
      ...["10", "9", "_", "A", "a", "a-b", "Ab", "ab", "B", "b", "z", "É", "é", "\uff5e", "😀"],
    ]);
  });

  it("orders any two names by their code points", () => {
    const name = fc.string({
      unit: fc.constantFrom(..."aAbB-é\uffff\ue000\ud7ff😀𐐀𐐨"),
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const expected = compareCodePoints(foldCase(one), foldCase(other)) || compareCodePoints(one, other);
        const [left, right] = [orderKey(one), orderKey(other)];
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(Math.sign(expected));
      }),
      { seed: 3, numRuns: 5000 },
    );
  });
});
