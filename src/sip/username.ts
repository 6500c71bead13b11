/** In UTF-8. What is stored for a name must have a bound, and PIOPIY publishes no rule. */
const MAX_BYTES = 256;

/**
 * The user of a PCMO target: any text without control characters. PIOPIY publishes no rule, and endpoints that were not
 * created by this gateway may have spaces in their names.
 */
export const sipUser = /^\P{Cc}+$/u;

/** What {@link isUsername} requires, for messages. */
export const USERNAME_RULE = `must be a string of 1 to ${MAX_BYTES} bytes of UTF-8 without control characters`;

/** Tells whether an endpoint may have this name: a {@link sipUser} of at most 256 bytes. */
export function isUsername(name: unknown): name is string {
  return typeof name === "string" && sipUser.test(name) && Buffer.byteLength(name) <= MAX_BYTES;
}

/**
 * Tells whether the gateway creates an endpoint of this name: 1 to 64 letters, digits, dots, underscores and
 * hyphens, beginning with a letter or a digit. Such a name needs no escaping in a SIP URI. PIOPIY publishes no rule.
 */
export function isNewUsername(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}
