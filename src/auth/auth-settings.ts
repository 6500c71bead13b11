import type { Environment } from "../environment.js";
import type { ApiKey } from "./api-key.js";
import { isScope, scopes } from "./client.js";
import type { JsonWebTokenSettings } from "./json-web-token.js";

/** How callers are known. With `none` everybody may do everything. */
export type AuthSettings =
  | { readonly mode: "none" }
  | { readonly mode: "api-key"; readonly keys: readonly ApiKey[] }
  | ({ readonly mode: "jwt" } & JsonWebTokenSettings);

/** Reads `AUTH`, and what the chosen mode needs. */
export function readAuth(environment: Environment): AuthSettings {
  environment.required(
    "AUTH",
    "api-key, jwt, or none, which lets everyone who reaches this address do everything",
  );
  const mode = environment.oneOf("AUTH", ["none", "api-key", "jwt"], "none");
  if (mode === "api-key") return { mode, keys: readApiKeys(environment) };
  if (mode === "jwt") return { mode, ...readJsonWebToken(environment) };
  return { mode };
}

function readJsonWebToken(environment: Environment): JsonWebTokenSettings {
  const jwksUrl = environment.required("JWT_JWKS_URL", "where the issuer of the tokens publishes its keys");
  return {
    jwksUrl: jwksUrl && environment.url("JWT_JWKS_URL", jwksUrl),
    issuer: environment.required("JWT_ISSUER", "the claim `iss` that tokens must have"),
    audience: environment.required("JWT_AUDIENCE", "the claim `aud` that tokens must have"),
  };
}

/** No mistake shows any part of an entry: it may be a key, put there in place of its hash. */
function readApiKeys(environment: Environment): ApiKey[] {
  const entries = environment.list("API_KEYS");
  if (entries.length === 0) {
    environment.mistakes.push("API_KEYS must be set: one entry or more, as `npm run api-key` makes them.");
  }
  const keys = entries.map((entry, index) => {
    const [, name = "", hash = "", given = ""] = /^([\w.-]{1,64}):([\da-f]{64}):(.+)$/i.exec(entry) ?? [];
    const keyScopes = given.split("+").filter(isScope);
    if (keyScopes.length === 0 || keyScopes.length < given.split("+").length) {
      environment.mistakes.push(
        `API_KEYS must hold entries like name:sha256-hex:scope+scope, comma separated, with scopes of ${scopes.join(", ")}; ` +
          `entry ${index + 1} is not one.`,
      );
    }
    return { name, sha256: Buffer.from(hash, "hex"), scopes: keyScopes };
  });
  const hashes = keys.map(({ sha256 }) => sha256.toString("hex")).filter(Boolean);
  if (new Set(hashes).size < hashes.length) environment.mistakes.push("API_KEYS must hold each key once.");
  return keys;
}
