import { describe, expect, it } from "@jest/globals";
import { isSipUser } from "../../src/pcmo/sip-user.js";

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
    "x".repeat(1000),
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
