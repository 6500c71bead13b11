import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";

const complete = {
  AUTH: "jwt",
  PIOPIY_APP_ID: "2222223",
  PIOPIY_SECRET: "made-up-secret",
  JWT_JWKS_URL: "https://issuer.example.com/keys",
  JWT_ISSUER: "https://issuer.example.com/",
  JWT_AUDIENCE: "piopiy-graph",
};

/** Returns the errors of a configuration. */
function mistakes(variables: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...complete, ...variables });
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

const form = "a name such as scp or https://example.com/roles, or a dotted path such as realm_access.roles";

describe("The claims of tokens", () => {
  it.each<[Record<string, string>, readonly string[], string | undefined]>([
    [{}, ["scope"], undefined],
    [{ JWT_SCOPE_CLAIM: "", JWT_USERNAME_CLAIM: " " }, ["scope"], undefined],
    [{ JWT_SCOPE_CLAIM: "scp", JWT_USERNAME_CLAIM: "sip_username" }, ["scp"], "sip_username"],
    [
      { JWT_SCOPE_CLAIM: " scp ,https://example.com/roles,", JWT_USERNAME_CLAIM: "person.sip" },
      ["scp", "https://example.com/roles"],
      "person.sip",
    ],
  ])("are read from %j", (variables, scopeClaims, usernameClaim) => {
    expect(readConfig({ ...complete, ...variables }).auth).toMatchObject({
      mode: "jwt",
      scopeClaims,
      usernameClaim,
    });
  });

  it.each([
    ["JWT_SCOPE_CLAIM", "scp roles", `must contain claims, comma separated, each ${form} (got "scp roles").`],
    ["JWT_SCOPE_CLAIM", ", ,", `must contain a claim: ${form}.`],
    ["JWT_USERNAME_CLAIM", "sip,name", `must be one claim: ${form} (got "sip,name").`],
    ["JWT_USERNAME_CLAIM", "sip name", `must be one claim: ${form} (got "sip name").`],
  ])("are rejected: %s=%s", (name, value, mistake) => {
    expect(mistakes({ [name]: value })).toEqual([`${name} ${mistake}`]);
  });

  it.each(["none", "api-key"])("are not read with AUTH=%s", (AUTH) => {
    const API_KEYS = `mobile-app:${"0".repeat(64)}:sip:read`;
    expect(mistakes({ AUTH, API_KEYS, JWT_SCOPE_CLAIM: "a b", JWT_USERNAME_CLAIM: "a,b" })).toEqual([]);
  });
});
