import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parsePhoneNumber } from "../../src/pcmo/connect-action.js";

describe("parsePhoneNumber", () => {
  it.each([
    ["914471000000", 914471000000],
    ["+914471000000", 914471000000],
    ["1000000", 1000000],
    ["+9999999", 9999999],
    ["100000000000000", 100000000000000],
    ["999999999999999", 999999999999999],
  ])("parses %j", (text, number) => {
    expect(parsePhoneNumber(text)).toBe(number);
  });

  it.each([
    "",
    "+",
    "100000",
    "1000000000000000",
    "0914471000000",
    "+0914471000000",
    "++914471000000",
    "-914471000000",
    " 914471000000",
    "914471000000 ",
    "914471000000\n",
    "91 4471000000",
    "91-4471000000",
    "914471000000.0",
    "9.14471e11",
    "0x1000000",
    "９１４４７１０",
    "alice",
  ])("rejects %j", (text) => {
    expect(parsePhoneNumber(text)).toBeUndefined();
  });

  it("preserves all digits of a number, and rejects any other text", () => {
    const text = fc.oneof(
      fc.stringMatching(/^\+?[1-9]\d{6,14}$/),
      fc.stringMatching(/^\+?\d{0,17}$/),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (text) => {
        const digits = text.replace(/^\+/, "");
        const number = parsePhoneNumber(text);
        if (number !== undefined) expect(String(number)).toBe(digits);
        expect(number !== undefined).toBe(
          /^[1-9][0-9]*$/.test(digits) && digits.length >= 7 && digits.length <= 15,
        );
      }),
      { seed: 9, numRuns: 1000 },
    );
  });
});
