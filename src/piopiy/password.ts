import { randomInt } from "node:crypto";

/** Letters and digits without those that look alike: 0 O o, 1 I l. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
const LENGTH = 22;

/** A password of 22 letters and digits from a cryptographic source, more than 127 bits, that can be read out on a phone. */
export function makePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/**
 * Tells whether the gateway sets this password: 1 to 128 characters, no control characters, no space at either
 * end. PIOPIY publishes no rule.
 */
export function isPassword(text: string): boolean {
  return /^(?!\s)[^\p{Cc}]{1,128}(?<!\s)$/u.test(text);
}
