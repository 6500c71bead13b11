import type { JWTPayload } from "jose";
import { type Scope, scopes } from "../config.js";
import { isUsername } from "../sip/username.js";

/** Returns the gateway's scopes in these claims. The scopes of all claims add up, and unknown scopes are ignored. */
export function scopesIn(claims: JWTPayload, names: readonly string[]): ReadonlySet<Scope> {
  const found = names.flatMap((name) => wordsOf(claimOf(claims, name)));
  return new Set(scopes.filter((scope) => found.includes(scope)));
}

/** Returns the SIP username in this claim, unchanged, or undefined if the claim is missing or no endpoint may have such a name. */
export function usernameIn(claims: JWTPayload, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : claimOf(claims, name);
  return isUsername(value) ? value : undefined;
}

/**
 * Returns the value of a claim by its name or, if the token has no claim of this name, by a dotted path. Some names of claims
 * contain dots, such as `https://example.com/roles`.
 */
function claimOf(claims: JWTPayload, name: string): unknown {
  const path = Object.hasOwn(claims, name) ? [name] : name.split(".");
  return path.reduce<unknown>(memberOf, claims);
}

function memberOf(holder: unknown, key: string): unknown {
  if (typeof holder !== "object" || holder === null || Array.isArray(holder)) return undefined;
  return Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
}

/** Returns the words of a string, or the strings of an array. A string in an array is one name: names of roles may have spaces. */
function wordsOf(value: unknown): readonly unknown[] {
  if (typeof value === "string") return value.split(/\s+/);
  return Array.isArray(value) ? value : [];
}
