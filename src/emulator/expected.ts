const LONGEST_QUOTE = 60;

/** A message for zod that tells what was expected and what came. */
export function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => `expected ${what}, got ${quote(input)}`;
}

/** A value as JSON, cut off where it would fill the page. */
export function quote(value: unknown): string {
  const text = write(value);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** What is nested very deeply can be read but not written. */
function write(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "nothing";
  } catch {
    return "what is nested too deeply to show";
  }
}
