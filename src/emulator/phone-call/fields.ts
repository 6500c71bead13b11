import { z } from "zod";

const MAX_QUOTE_LENGTH = 60;

/** Schemas for the values of PCMO documents and call requests. Their messages show the received value. */
export const fields = {
  wholeNumber(minimum: number, maximum: number, unit: string) {
    const error = expected(`a whole number of ${unit} from ${minimum} to ${maximum}`);
    return z.int({ error }).min(minimum, { error }).max(maximum, { error });
  },

  /** A number with the country code, without a plus sign. PIOPIY writes a JSON number, which represents 15 digits exactly. */
  phoneNumber() {
    const error = expected("a phone number of up to 15 digits as a JSON number, such as 914471000000");
    return z.int({ error }).min(1, { error }).max(999_999_999_999_999, { error });
  },

  text() {
    const error = expected("a non-empty string");
    return z.string({ error }).min(1, { error });
  },

  oneOf<const Choice extends string>(...choices: [Choice, ...Choice[]]) {
    return z.enum(choices, { error: expected(choices.map((choice) => JSON.stringify(choice)).join(" or ")) });
  },

  url(...schemes: string[]) {
    const error = expected(`a URL with the scheme ${schemes.join(" or ")}, without user and password`);
    const isValid = (text: string) => {
      if (!URL.canParse(text)) return false;
      const { protocol, username, password } = new URL(text);
      return schemes.includes(protocol.slice(0, -1)) && username === "" && password === "";
    };
    return z.string({ error }).refine(isValid, { error });
  },
} as const;

/** Returns a message for zod with the expected and the received value. */
export function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => `expected ${what}, got ${quote(input)}`;
}

/** Returns a value as JSON, truncated to 60 characters. */
export function quote(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? "nothing";
    return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}…` : text;
  } catch {
    // Deeply nested JSON can be parsed but not written.
    return "a value that is nested too deeply to show";
  }
}
