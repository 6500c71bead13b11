/**
 * What a PCMO target, or a call about an existing endpoint, may carry as a name: any text without spaces and
 * control characters. PIOPIY publishes no rule, and endpoints made elsewhere may have names that this gateway
 * would not make.
 */
export const sipUser = /^[^\s\p{Cc}]+$/u;

/** Tells whether a name is a {@link sipUser}. */
export function isSipUser(name: string): boolean {
  return sipUser.test(name);
}
