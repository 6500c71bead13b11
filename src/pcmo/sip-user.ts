/**
 * Tells whether a PCMO target, or a call about an existing endpoint, may carry this name: any text without
 * spaces and control characters. PIOPIY publishes no rule, and endpoints made elsewhere may have names that
 * this gateway would not make.
 */
export function isSipUser(name: string): boolean {
  return name !== "" && !/[\s\p{Cc}]/u.test(name);
}
