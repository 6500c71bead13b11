import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { sha256 } from "../support/auth/api-keys.js";

const account = { PIOPIY_APP_ID: "2222223", PIOPIY_SECRET: "made-up-secret" };
const hash = sha256("made-up-key");
const good = `mobile-app:${sha256("made-up-other-key")}:sip:read`;

function auth(API_KEYS: string) {
  return readConfig({ ...account, AUTH: "api-key", API_KEYS }).auth;
}

/** Returns the problems that reading these entries reports. */
function mistakes(API_KEYS: string): readonly string[] {
  try {
    auth(API_KEYS);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("API_KEYS", () => {
  it("has the name, the hash and the scopes of each key", () => {
    const keys = [
      { name: "mobile-app", sha256: Buffer.from(sha256("made-up-other-key"), "hex"), scopes: ["sip:read"] },
      { name: "night.shift_2", sha256: Buffer.from(hash, "hex"), scopes: ["sip:write", "sip:password"] },
    ];
    for (const separator of [",", "\n", "\r\n", ",\n"]) {
      const found = auth(`${good}${separator}night.shift_2:${hash}:sip:write+sip:password`);
      expect(found).toMatchObject({ mode: "api-key", keys: { current: keys, path: undefined } });
    }
  });

  it.each([
    ["a comma at the end", `${good},`],
    ["empty lines", `\n\n${good}\n\n`],
    ["spaces and commas around", ` , ${good} , `],
    ["the hash in capital letters", good.replace(/[\da-f]{64}/, (text) => text.toUpperCase())],
  ])("may have %s", (_, entries) => {
    expect(auth(entries)).toEqual(auth(good));
  });

  it.each([
    ["no colon", "hidden-entry"],
    ["a raw key alone", "pgg_hidden-key-which-is-made-up-and-43-letters-long"],
    ["a raw key in place of the hash", "hidden-name:pgg_hidden-key-which-is-made-up:sip:read"],
    ["a short hash", `hidden-name:${hash.slice(1)}:sip:read`],
    ["a long hash", `hidden-name:${hash}0:sip:read`],
    ["a hash with an invalid letter", `hidden-name:${hash.slice(1)}g:sip:read`],
    ["no hash", "hidden-name::sip:read"],
    ["no name", `:${hash}:sip:read`],
    ["a space in the name", `hidden name:${hash}:sip:read`],
    ["a long name", `${"hidden-".repeat(10)}:${hash}:sip:read`],
    ["no scopes", `hidden-name:${hash}`],
    ["empty scopes", `hidden-name:${hash}:`],
    ["an unknown scope", `hidden-name:${hash}:hidden-scope`],
    ["an unknown scope beside a known one", `hidden-name:${hash}:sip:read+hidden-scope`],
    ["an empty scope beside a known one", `hidden-name:${hash}:sip:read+`],
    ["a scope in capital letters", `hidden-name:${hash}:SIP:READ`],
    ["spaces between the scopes", `hidden-name:${hash}:sip:read sip:write`],
  ])("rejects an entry with %s, and the message shows no part of it", (_, entry) => {
    const found = mistakes(`${good},${entry}`);
    expect(found).toEqual([
      expect.stringMatching(/^API_KEYS must contain entries of the form .* \(entry 2 is invalid\)\.$/),
    ]);
    expect(found.join()).not.toMatch(/hidden|pgg_|SIP:/);
    expect(found.join()).not.toContain(hash.slice(1, 9));
  });

  it.each([
    "sip:self",
    "sip:read+sip:self",
    "sip:self+sip:write",
  ])("rejects the scopes %s, because a key belongs to no person", (scopes) => {
    expect(mistakes(`${good},hidden-name:${hash}:${scopes}`)).toEqual([
      "API_KEYS must not contain the scope sip:self (entry 2): an API key belongs to no person. " +
        "Remove the scope, or use AUTH=jwt with JWT_USERNAME_CLAIM.",
    ]);
  });

  it("reports each invalid entry", () => {
    expect(mistakes(`hidden-1,${good},hidden-2`)).toEqual([
      expect.stringMatching(/entry 1 is invalid/),
      expect.stringMatching(/entry 3 is invalid/),
    ]);
  });

  it("rejects a key that is in it twice, and the message does not show it", () => {
    const found = mistakes(`one:${hash}:sip:read,two:${hash.toUpperCase()}:sip:write`);
    expect(found).toEqual(["API_KEYS must contain each key only once."]);
  });

  it.each(["", " , "])("is required with AUTH=api-key: %j is rejected", (entries) => {
    expect(mistakes(entries)).toEqual([expect.stringMatching(/^API_KEYS must be set/)]);
  });

  it("is not read with AUTH=none", () => {
    const variables = { ...account, AUTH: "none", API_KEYS: "hidden-entry" };
    expect(readConfig(variables).auth).toEqual({ mode: "none" });
  });
});
