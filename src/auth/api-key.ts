import { createHash, timingSafeEqual } from "node:crypto";
import type { Scope } from "../config.js";
import type { Reloadable } from "../reloadable.js";
import type { Secret } from "../secret.js";
import type { Authenticate } from "./client.js";

/** An API key as it is configured. The gateway has only its hash. */
export interface ApiKey {
  /** Several keys may have one name, so that an old and a new one are valid at the same time. */
  readonly name: string;
  readonly sha256: Buffer;
  readonly scopes: readonly Scope[];
}

/** Returns the hash of a key for the configuration. A fast hash is enough: random keys cannot be found by a dictionary attack. */
export function hashApiKey(key: Secret): Buffer {
  return createHash("sha256").update(key.reveal()).digest();
}

/** Authenticates clients by API keys. Compares the credential with every key, in constant time. The keys may change. */
export function authenticateApiKey(keys: Reloadable<readonly ApiKey[]>): Authenticate {
  return async (credential) => {
    const sha256 = hashApiKey(credential);
    const [key] = keys.current.filter((candidate) => timingSafeEqual(candidate.sha256, sha256));
    return key ? { name: key.name, scopes: new Set(key.scopes) } : "unknown-key";
  };
}
