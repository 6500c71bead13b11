import { z } from "zod";

/** Values that more than one part of a call has. */
export const fields = {
  wholeNumber(minimum: number, maximum: number, unit: string) {
    const error = expected(`${unit} as a whole number from ${minimum} to ${maximum}`);
    return z.int({ error }).min(minimum, { error }).max(maximum, { error });
  },

  /** Country code and all, without a plus sign. PIOPIY writes it as a JSON number, which 15 digits fit exactly. */
  phoneNumber() {
    const error = expected("a phone number of up to 15 digits as a JSON number, such as 914471000000");
    return z.int({ error }).min(1, { error }).max(999_999_999_999_999, { error });
  },

  text() {
    const error = expected("a text that is not empty");
    return z.string({ error }).min(1, { error });
  },

  oneOf<const Choice extends string>(...choices: [Choice, ...Choice[]]) {
    return z.enum(choices, { error: expected(choices.map((choice) => JSON.stringify(choice)).join(" or ")) });
  },

  url(...schemes: string[]) {
    const error = expected(`a URL of ${schemes.join(" or ")} without user and password`);
    return z.string({ error }).refine((text) => isUrl(text, schemes), { error });
  },
} as const;

function isUrl(text: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return schemes.includes(protocol.slice(0, -1)) && username === "" && password === "";
}

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
