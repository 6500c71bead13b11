import { createHash } from "node:crypto";

/** Returns the environment of a gateway that accepts these API keys. The scopes of a key are joined by "+". */
export function apiKeys(scopesByKey: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(scopesByKey).map(([key, scopes]) => `${key}-name:${sha256(key)}:${scopes}`);
  return { AUTH: "api-key", API_KEYS: entries.join(",") };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Returns the header that sends a credential. */
export function bearer(credential: string): { authorization: string } {
  return { authorization: `Bearer ${credential}` };
}
