import { z } from "zod";
import { expected } from "./expected.js";

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
