import { describe, expect, it } from "@jest/globals";
import { nearestName } from "../src/nearest-name.js";

const names = ["text", "timeout", "caller", "callee", "removeSipEndpoint", "GROUP", "id", "x".repeat(32)];

describe("nearestName", () => {
  it.each([
    ["a missing letter", "timeou", "timeout"],
    ["an additional letter", "texxt", "text"],
    ["a replaced letter", "taxt", "text"],
    ["two swapped letters", "timeuot", "timeout"],
    ["two swapped letters of a short name", "tetx", "text"],
    ["swapped letters beside a name that is as close", "callre", "caller"],
    ["two typing errors in a long name", "tymeaut", "timeout"],
    ["another letter case", "group", "GROUP"],
    ["a typing error in a name with capitals", "removeSipEndpoin", "removeSipEndpoint"],
    ["a name of 32 characters", `y${"x".repeat(31)}`, "x".repeat(32)],
  ])("finds the name despite %s", (_title, misspelled, name) => {
    expect(nearestName(misspelled, names)).toBe(name);
  });

  it.each([
    ["two typing errors in a short name", "tost"],
    ["three typing errors", "tymeauts"],
    ["a typing error in a name of two letters", "in"],
    ["an empty text", ""],
    ["more than 32 characters", "x".repeat(33)],
  ])("returns undefined for %s", (_title, misspelled) => {
    expect(nearestName(misspelled, names)).toBeUndefined();
  });

  it("returns undefined if there are no names", () => {
    expect(nearestName("timeout", [])).toBeUndefined();
  });
});
