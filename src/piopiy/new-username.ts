/**
 * Tells whether the gateway creates an endpoint of this name: 1 to 64 letters, digits, dots, underscores and
 * hyphens, beginning with a letter or a digit. Such a name needs no escaping in a SIP URI. PIOPIY publishes no rule.
 */
export function isNewUsername(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}
