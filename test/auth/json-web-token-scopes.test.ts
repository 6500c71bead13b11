import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { scopesIn, usernameIn } from "../../src/auth/claims.js";
import { scopes } from "../../src/config.js";
import { bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let key: SigningKey;
let gateway: TestGateway | undefined;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  await issuer.publish(key);
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
afterAll(() => issuer.close());

/** An operation for each scope, without an effect. */
const probes = {
  "sip:read": "{ sipEndpoints { nodes { username } } }",
  "sip:write": 'mutation { removeSipEndpoint(input: { username: "" }) { userErrors { code } } }',
  "sip:password": "{ sipEndpoints(first: 1) { nodes { password } } }",
};

/** Returns the scopes that the gateway finds in a token, apart from `sip:password` without `sip:read`. */
async function scopesOf(claims: Record<string, unknown>, JWT_SCOPE_CLAIM?: string): Promise<string[]> {
  gateway ??= await startGateway({
    gateway: { ...issuer.settings, ...(JWT_SCOPE_CLAIM !== undefined && { JWT_SCOPE_CLAIM }) },
  });
  const token = await sign(key, { scope: undefined, ...claims });
  const found: string[] = [];
  for (const [scope, query] of Object.entries(probes)) {
    const { status, errors } = await gateway.execute(query, {}, bearer(token));
    expect(status).toBe(200);
    if (!errors) found.push(scope);
    else expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(["FORBIDDEN"]));
  }
  return found;
}

describe("JWT_SCOPE_CLAIM", () => {
  it.each<[string, string | undefined, Record<string, unknown>, string[]]>([
    ["RFC 8693", undefined, { scope: "openid sip:read sip:password" }, ["sip:read", "sip:password"]],
    ["an empty variable", "", { scope: "sip:read" }, ["sip:read"]],
    ["Okta", "scp", { scp: ["openid", "sip:read", "sip:write"] }, ["sip:read", "sip:write"]],
    [
      "Entra ID, a person and an app",
      "scp,roles",
      { scp: "sip:read", roles: ["sip:password", "Task.Read"] },
      ["sip:read", "sip:password"],
    ],
    [
      "Auth0",
      "scope, permissions",
      { scope: "openid sip:write", permissions: ["sip:read"] },
      ["sip:read", "sip:write"],
    ],
    [
      "Auth0 with a namespace",
      "https://example.com/roles",
      { "https://example.com/roles": ["sip:read"] },
      ["sip:read"],
    ],
    ["Keycloak's realm", "realm_access.roles", { realm_access: { roles: ["sip:read"] } }, ["sip:read"]],
    [
      "Keycloak's client and realm",
      "realm_access.roles,resource_access.app.roles",
      {
        realm_access: { roles: ["offline_access", "sip:read"] },
        resource_access: { app: { roles: ["sip:write"] }, account: { roles: ["sip:password"] } },
      },
      ["sip:read", "sip:write"],
    ],
    [
      "a claim whose name is also a path",
      "realm_access.roles",
      { "realm_access.roles": "sip:write", realm_access: { roles: ["sip:read"] } },
      ["sip:write"],
    ],
    ["a claim that is not configured", "scp", { scope: "sip:read" }, []],
    ["words with several spaces", undefined, { scope: "  sip:read   sip:write " }, ["sip:read", "sip:write"]],
    ["a role with spaces in an array", "roles", { roles: ["no sip:write", "sip:read"] }, ["sip:read"]],
    ["other letter case", undefined, { scope: "SIP:READ Sip:Write" }, []],
  ])("finds the scopes of %s", async (_, names, claims, scopes) => {
    expect(await scopesOf(claims, names)).toEqual(scopes);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a number", { scp: 5 }],
    ["null", { scp: null }],
    ["true", { scp: true }],
    ["an object", { scp: { "sip:read": "sip:read" } }],
    ["an array of other values", { scp: [5, null, true, ["sip:read"], { name: "sip:read" }] }],
    ["an object like an array", { scp: { 0: "sip:read", length: 1 } }],
    ["a number on the path", { a: 5 }],
    ["a string on the path", { a: "sip:read" }],
    ["null on the path", { a: null }],
    ["an array on the path", { a: ["sip:read"] }],
    ["a longer path", { a: { 0: { 0: "sip:read" } } }],
    ["many unknown scopes", { scp: Array.from({ length: 500 }, (_, nth) => `made-up-${nth}`) }],
  ])("finds no scopes in %s, and a claim beside it counts", async (_, claims) => {
    const names = "scp,a.0,a.length,__proto__,constructor.name,beside";
    expect(await scopesOf(claims, names)).toEqual([]);
    expect(await scopesOf({ ...claims, beside: "sip:read" }, names)).toEqual(["sip:read"]);
  });

  it("finds the strings in an array that has other values too", async () => {
    expect(await scopesOf({ scope: [null, "sip:read", 5] })).toEqual(["sip:read"]);
  });
});

describe("The claims of any token", () => {
  const text = fc.oneof(
    fc.constantFrom(...scopes, "a", "b.c", "__proto__", "constructor", "length"),
    fc.string(),
  );
  const claims = fc.dictionary(text, fc.jsonValue()).map((record) => JSON.parse(JSON.stringify(record)));
  const value = fc.oneof(
    fc.array(text),
    fc.array(text).map((words) => words.join(" ")),
  );

  it("have only scopes of the gateway, and a username that is a claim itself", () => {
    fc.assert(
      fc.property(claims, fc.array(text), (token, names) => {
        expect(scopes).toEqual(expect.arrayContaining([...scopesIn(token, names)]));
        for (const name of names.filter((each) => !each.includes(".")))
          expect([undefined, token[name]]).toContain(usernameIn(token, name));
      }),
    );
  });

  it("have the same scopes under each name and on each path", () => {
    fc.assert(
      fc.property(
        value,
        fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 5 }),
        (given, path) => {
          const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), given) as Record<
            string,
            unknown
          >;
          const expected = scopesIn({ direct: given }, ["direct"]);
          expect(scopesIn(nested, ["none", path.join(".")])).toEqual(expected);
          expect(scopesIn({ ...nested, [path.join(".")]: given }, [path.join(".")])).toEqual(expected);
        },
      ),
    );
  });
});
