import { describe, expect, it } from "@jest/globals";
import { isSipUser, isUsername } from "../../src/pcmo/sip-user.js";

describe("isSipUser", () => {
  it.each([
    "a",
    "alice",
    "YOUR_USERNAME_1",
    "a@b",
    "a/b",
    "%",
    "-",
    ".",
    "jürgen",
    "名",
    "😀",
    "\ud800",
    "x".repeat(256),
    "é".repeat(128),
  ])("takes %j", (name) => {
    expect(isSipUser(name)).toBe(true);
  });

  it.each([
    "",
    " ",
    "a b",
    " a",
    "a ",
    "a\tb",
    "a\nb",
    "a\r",
    "\u0000",
    "a\u001f",
    "a\u007f",
    "a\u0085",
    "a\u009f",
    "x".repeat(257),
    "é".repeat(129),
    "😀".repeat(65),
  ])("refuses %j", (name) => {
    expect(isSipUser(name)).toBe(false);
  });

  it.each([
    "\u00a0",
    "\u1680",
    "\u2003",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u205f",
    "\u3000",
    "\ufeff",
  ])("refuses the space %j inside a name", (space) => {
    expect(isSipUser(`a${space}b`)).toBe(false);
  });
});

describe("isUsername", () => {
  it.each(["a", " ", "a b", "\u00a0", "x".repeat(256), "😀".repeat(64)])("takes %j", (name) => {
    expect(isUsername(name)).toBe(true);
  });

  it.each([
    "",
    "a\tb",
    "\u0000",
    "\u0085",
    " ".repeat(257),
    "😀".repeat(65),
    null,
    1,
    ["a"],
    { a: 1 },
  ])("refuses %j", (name) => {
    expect(isUsername(name)).toBe(false);
  });
});
