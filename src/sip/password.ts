import { createHmac, randomInt } from "node:crypto";
import { Secret } from "../secret.js";

/** Letters and digits without those that look alike: 0 O o, 1 I l. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
const LENGTH = 22;
const PARTLY_MASKED = /[*•●∙·]{3}/u;

/**
 * Derives a password from a secret and these parts. The same input results in the same password. Without the secret, the
 * password is as hard to guess as a random password.
 */
export function derivePassword(secret: Secret, parts: readonly string[]): Secret {
  const digest = createHmac("sha512", secret.reveal()).update(JSON.stringify(parts)).digest("hex");
  const base = BigInt(ALPHABET.length);
  // 512 bits for a password of 128 bits: the modulo bias is below 2 to the power of -384.
  let rest = BigInt(`0x${digest}`);
  const characters = Array.from({ length: LENGTH }, () => {
    const character = ALPHABET[Number(rest % base)];
    rest /= base;
    return character;
  });
  return new Secret(characters.join(""));
}

/**
 * Compares the password that the gateway sent with the one that PIOPIY returns for the endpoint. The result is unclear
 * when the returned password is missing, masked, truncated, or the same in another letter case or Unicode form.
 */
export function comparePasswords(
  sent: Secret,
  returned: Secret | undefined,
): "same" | "different" | "unclear" {
  if (!returned) return "unclear";
  if (returned.equals(sent)) return "same";
  const [one, other] = [normalize(sent), normalize(returned)];
  const isUnclear = one.startsWith(other) || other.startsWith(one) || PARTLY_MASKED.test(other);
  return isUnclear ? "unclear" : "different";
}

/** Removes the differences that a system may make to a password: outer spaces, letter case and Unicode form. */
function normalize(password: Secret): string {
  return password.reveal().normalize("NFKC").trim().toUpperCase().toLowerCase();
}

/** Generates a random password of 22 letters and digits (more than 127 bits) that can be read out on a phone. */
export function generatePassword(): Secret {
  const characters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return new Secret(characters.join(""));
}

/** The rule of {@link isPassword}, for messages. */
export const PASSWORD_RULE =
  "must have 1 to 128 characters, no control characters and no space at either end";

/**
 * Returns whether the gateway accepts this password: 1 to 128 characters, no control characters, no space at either end.
 * PIOPIY publishes no rule.
 */
export function isPassword(password: Secret): boolean {
  return /^(?!\s)[^\p{Cc}]{1,128}(?<!\s)$/u.test(password.reveal());
}
