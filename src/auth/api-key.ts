import { createHash, timingSafeEqual } from "node:crypto";
import type { Scope } from "../scopes.js";
import type { Secret } from "../secret.js";
import type { Authenticate } from "./client.js";

/** What is known of a key: never the key itself. */
export interface ApiKey {
  /** Several keys may bear one name, so that an old and a new one hold side by side. */
  readonly name: string;
  readonly sha256: Buffer;
  readonly scopes: readonly Scope[];
}

/** What stands in the configuration for a key. A slow hash would bring nothing: there is no dictionary of such keys. */
export function hashApiKey(key: Secret): Buffer {
  return createHash("sha256").update(key.reveal()).digest();
}

/** Knows callers by their API keys. Every key is compared, each in constant time. */
export function authenticateApiKey(keys: readonly ApiKey[]): Authenticate {
  return async (credential) => {
    const sha256 = hashApiKey(credential);
    const [key] = keys.filter((candidate) => timingSafeEqual(candidate.sha256, sha256));
    return key && { name: key.name, scopes: new Set(key.scopes) };
  };
}
