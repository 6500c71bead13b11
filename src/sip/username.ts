/** PIOPIY publishes no limit. The gateway needs one, because it stores usernames, for example in the cache. */
const MAX_BYTES = 256;

/**
 * Matches a username of any length: text without control characters. PIOPIY publishes no rule, and endpoints that were
 * not created by this gateway may have spaces in their names.
 */
export const USERNAME_PATTERN = /^\P{Cc}+$/u;

/** The rule of {@link isUsername}, for messages. */
export const USERNAME_RULE = `must be a string of 1 to ${MAX_BYTES} bytes of UTF-8 without control characters`;

/** Returns whether an endpoint may have this name: 1 to 256 bytes of UTF-8 without control characters. */
export function isUsername(name: unknown): name is string {
  return typeof name === "string" && USERNAME_PATTERN.test(name) && Buffer.byteLength(name) <= MAX_BYTES;
}

/** The rule of {@link isNewUsername}, for messages. */
export const NEW_USERNAME_RULE =
  "must have 1 to 64 characters of A-Z, a-z, 0-9, dot, underscore and hyphen. The first must be a letter or a digit";

/**
 * Returns whether the gateway creates an endpoint with this name: 1 to 64 letters, digits, dots, underscores and hyphens,
 * starting with a letter or a digit. Such a name needs no escaping in a SIP URI. PIOPIY publishes no rule.
 */
export function isNewUsername(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/** Matches the characters that RFC 3261 does not allow unescaped in the user part of a SIP URI. */
const RESERVED = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;

/**
 * Returns the SIP URI of an endpoint: `sip:user@host`. In PIOPIY's early samples, the SBC is a host name without a scheme. Later
 * samples show only a placeholder, so a scheme, a path and all parameters but the transport (RFC 3261, 19.1.1) are removed.
 */
export function sipUri(username: string, connectUrl: string): string {
  const address = connectUrl.replace(/^(?:[a-z]+:\/\/|sips?:)/i, "");
  const host = address.replace(/[/?;].*$/, "");
  const [transport = ""] = /^[^/?;]*(;[^/?]*)?/.exec(address)?.[1]?.match(/;transport=[\w-]+/i) ?? [];
  const user = username.replace(RESERVED, (character) =>
    Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
  return `sip:${user}@${host}${transport}`;
}

/**
 * Returns the username in a text that looks like a SIP URI: the text has the scheme `sip:` or `sips:`, or contains `@`. Returns an
 * empty string if the text has no username, and undefined if it does not look like a SIP URI. Brackets and a display name, as in
 * `"Alice" <sip:alice@sbc.example>`, are ignored.
 */
export function usernameInSipUri(text: string): string | undefined {
  const uri = /<(sips?:[^<>]*)>/i.exec(text)?.[1] ?? text.trim();
  const address = uri.replace(/^sips?:(?:\/\/)?/i, "");
  const hasHost = address.includes("@");
  if (!hasHost && address === uri) return undefined;
  // Before the host, `:` begins a password. Without a host, the other separators begin a port, parameters and headers.
  const [user = ""] = address.split(hasHost ? /[:@]/ : /[:;?]/, 1);
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
