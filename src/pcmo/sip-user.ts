/** In UTF-8. What is stored for a name must have a bound, and PIOPIY publishes no rule. */
const MAX_BYTES = 256;

/**
 * What a PCMO target may carry as a name: any text without spaces and control characters. PIOPIY publishes no rule, and
 * endpoints made elsewhere may have names that this gateway would not make.
 */
export const sipUser = /^[^\s\p{Cc}]+$/u;

/** What {@link isSipUser} demands, for messages. */
export const SIP_USER_RULE = `A username must have 1 to ${MAX_BYTES} bytes of UTF-8, and no spaces or control characters.`;

/** What {@link isUsername} demands, for messages. */
export const USERNAME_RULE = `must be a string of 1 to ${MAX_BYTES} bytes of UTF-8 without control characters`;

/** Tells whether an endpoint may be read by this name: one made elsewhere may have spaces in it. */
export function isUsername(name: unknown): name is string {
  return typeof name === "string" && /^\P{Cc}+$/u.test(name) && Buffer.byteLength(name) <= MAX_BYTES;
}

/** Tells whether inputs and targets of this gateway may carry the name: a {@link sipUser} of at most 256 bytes. */
export function isSipUser(name: string): boolean {
  return isUsername(name) && sipUser.test(name);
}
