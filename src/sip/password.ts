import { createHmac, randomInt } from "node:crypto";
import { Secret } from "../secret.js";

/** Letters and digits without those that look alike: 0 O o, 1 I l. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
const LENGTH = 22;
const PARTLY_MASKED = /[*•●∙·]{3}/u;

/**
 * The password that belongs to these parts: made the same way each time, and known to nobody without the secret.
 * As strong as one that is made at random.
 */
export function derivePassword(secret: Secret, parts: readonly string[]): Secret {
  const digest = createHmac("sha512", secret.reveal()).update(JSON.stringify(parts)).digest("hex");
  const base = BigInt(ALPHABET.length);
  // 512 bits against 128: no character is likelier than another by more than 2 to the power of -384.
  let rest = BigInt(`0x${digest}`);
  const characters = Array.from({ length: LENGTH }, () => {
    const character = ALPHABET[Number(rest % base)];
    rest /= base;
    return character;
  });
  return new Secret(characters.join(""));
}

/**
 * Compares a password with the one that PIOPIY shows for an endpoint. What is missing or masked, and what may be the same password
 * in another spelling or a part of it, says nothing: then it is unclear.
 */
export function comparePasswords(ours: Secret, shown: Secret | undefined): "same" | "different" | "unclear" {
  if (!shown) return "unclear";
  if (shown.equals(ours)) return "same";
  const [one, other] = [plain(ours), plain(shown)];
  const isUnclear = one.startsWith(other) || other.startsWith(one) || PARTLY_MASKED.test(other);
  return isUnclear ? "unclear" : "different";
}

/** What is left of a password whatever a system does to its spaces, letter case and Unicode form. */
function plain(password: Secret): string {
  return password.reveal().normalize("NFKC").trim().toUpperCase().toLowerCase();
}

/** A password of 22 letters and digits from a cryptographic source, more than 127 bits, that can be read out on a phone. */
export function makePassword(): Secret {
  const characters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return new Secret(characters.join(""));
}

/**
 * Tells whether the gateway sets this password: 1 to 128 characters, no control characters, no space at either
 * end. PIOPIY publishes no rule.
 */
export function isPassword(password: Secret): boolean {
  return /^(?!\s)[^\p{Cc}]{1,128}(?<!\s)$/u.test(password.reveal());
}
