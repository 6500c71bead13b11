import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { isUsername, sipUri, usernameInSipUri } from "../../src/sip/username.js";

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
  ])("rejects %j", (name) => {
    expect(isUsername(name)).toBe(false);
  });
});

describe("usernameInSipUri", () => {
  it.each<[string, string]>([
    ["sip:alice@sbc.example", "alice"],
    ["SIPS:alice@sbc.example:5061;transport=tls", "alice"],
    ["sip:alice", "alice"],
    ["sip:alice;transport=udp", "alice"],
    ["sip:alice:5060", "alice"],
    ["sip://alice@sbc.example", "alice"],
    ["alice@sbc.example", "alice"],
    [" sip:alice@sbc.example ", "alice"],
    ['"Alice" <sip:alice@sbc.example>;expires=60', "alice"],
    ["sip:alice:made-up@sbc.example", "alice"],
    ["alice:made-up@sbc.example", "alice"],
    ["sip:alice:made@up@sbc.example", "alice"],
    ["sip:the%20caf%C3%A9@sbc.example", "the café"],
    ["sip:a%40b@sbc.example", "a@b"],
    ["sip:alice%zz@sbc.example", "alice%zz"],
    ["sip:a;b=c@sbc.example", "a;b=c"],
    ["sip:@sbc.example", ""],
    ["sip:", ""],
    ["@", ""],
  ])("returns the username of %j: %j", (text, username) => {
    expect(usernameInSipUri(text)).toBe(username);
  });

  it.each([
    "alice",
    "a:b",
    "front desk",
    "zip:alice",
    "sip",
    "a/b?c",
    "<alice>",
    "%40",
    "tel:914471000000",
    "sip alice:b",
  ])("returns undefined for %j", (text) => {
    expect(usernameInSipUri(text)).toBeUndefined();
  });

  it("returns the username of every SIP URI that the gateway creates", () => {
    const usernames = fc
      .string({ unit: "binary", minLength: 1 })
      .filter((name) => isUsername(name) && !name.startsWith("//"));
    fc.assert(
      fc.property(usernames, (name) => {
        expect(usernameInSipUri(sipUri(name, "sbc.example"))).toBe(name);
      }),
      { seed: 7, numRuns: 1000 },
    );
  });

  it("never returns a password", () => {
    const text = fc.string({ unit: fc.constantFrom(..."sip:@<>;?%4a/ ") });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const found = usernameInSipUri(`${before}sip:alice:PASSWORD@sbc.example${after}`);
        expect(found ?? "").not.toContain("PASSWORD");
      }),
      { seed: 8, numRuns: 1000 },
    );
  });
});
