/**
 * Reads an E.164 number, with or without its plus sign: 7 to 15 digits, the first not 0. PIOPIY takes it as a
 * JSON number, which 15 digits fit exactly. Undefined for anything else.
 */
export function readPhoneNumber(text: string): number | undefined {
  return /^\+?[1-9]\d{6,14}$/.test(text) ? Number(text) : undefined;
}
