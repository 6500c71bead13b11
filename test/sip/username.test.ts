import { describe, expect, it } from "@jest/globals";
import { isUsername } from "../../src/sip/username.js";

describe("isUsername", () => {
  it.each([
    "a",
    "alice",
    "YOUR_USERNAME_1",
    "a@b",
    "a/b",
    "%",
    "-",
    ".",
    " ",
    "a b",
    " a",
    "a ",
    "\u00a0",
    "a\u2028b",
    "a\u3000b",
    "\ufeffa",
    "jürgen",
    "名",
    "😀",
    "\ud800",
    "x".repeat(256),
    " ".repeat(256),
    "é".repeat(128),
    "😀".repeat(64),
  ])("accepts %j", (name) => {
    expect(isUsername(name)).toBe(true);
  });

  it.each([
    "",
    "a\tb",
    "a\nb",
    "a\r",
    "\u0000",
    "a\u001f",
    "a\u007f",
    "a\u0085",
    "a\u009f",
    "x".repeat(257),
    " ".repeat(257),
    "é".repeat(129),
    "😀".repeat(65),
    null,
    1,
    ["a"],
    { a: 1 },
  ])("refuses %j", (name) => {
    expect(isUsername(name)).toBe(false);
  });
});
