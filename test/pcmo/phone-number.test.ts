import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { readPhoneNumber } from "../../src/pcmo/connect-action.js";

describe("readPhoneNumber", () => {
  it.each([
    ["914471000000", 914471000000],
    ["+914471000000", 914471000000],
    ["1000000", 1000000],
    ["+9999999", 9999999],
    ["100000000000000", 100000000000000],
    ["999999999999999", 999999999999999],
  ])("reads %j", (text, number) => {
    expect(readPhoneNumber(text)).toBe(number);
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
  ])("reads nothing in %j", (text) => {
    expect(readPhoneNumber(text)).toBeUndefined();
  });

  it("loses no digit of a number that it reads, and reads no other text", () => {
    const text = fc.oneof(
      fc.stringMatching(/^\+?[1-9]\d{6,14}$/),
      fc.stringMatching(/^\+?\d{0,17}$/),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (text) => {
        const digits = text.replace(/^\+/, "");
        const number = readPhoneNumber(text);
        if (number !== undefined) expect(String(number)).toBe(digits);
        expect(number !== undefined).toBe(
          /^[1-9][0-9]*$/.test(digits) && digits.length >= 7 && digits.length <= 15,
        );
      }),
      { seed: 9, numRuns: 1000 },
    );
  });
});
