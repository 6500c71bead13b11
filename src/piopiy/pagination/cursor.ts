import { createHash } from "node:crypto";

/** The maximum number of usernames in a cursor. A cursor stays valid while an endpoint with one of these names exists. */
export const REMEMBERED = 10;
const TEXT = /^sip2:(\d{1,10})\/(\d{1,10}):((?:[\w-]{8}(?:\.[\w-]{8}){0,9})?):/;
const USERNAME_TEXT = /^sip-username:(.*):/s;

/** A position in PIOPIY's list, for cursor pagination. */
export interface Cursor {
  /** The position of the last row that was returned, counted from 0, when the cursor was created. */
  readonly position: number;
  /** The number of rows in the list when the cursor was created. */
  readonly total: number;
  /**
   * Fingerprints of the last usernames that were returned, in the order of the list. A row without a valid username has no
   * fingerprint.
   */
  readonly remembered: readonly string[];
}

/** Returns a short hash of a username. Among 100,000 names the chance that any two share one is 1 in 50,000. */
export function fingerprint(username: string): string {
  return createHash("sha256").update(username).digest("base64url").slice(0, 8);
}

/** Returns the cursor of the row at `position` of `total`. `seen` contains the fingerprints of the rows up to it. */
export function cursorAt(position: number, total: number, seen: readonly string[]): Cursor {
  return { position, total, remembered: seen.slice(-REMEMBERED) };
}

/** Encodes a cursor. */
export function encodeCursor({ position, total, remembered }: Cursor): string {
  return seal(`sip2:${position}/${total}:${remembered.join(".")}:`);
}

/** Decodes a cursor. Returns undefined if the text is not a cursor of this gateway for PIOPIY's list. */
export function decodeCursor(text: string): Cursor | undefined {
  const [, position, total, remembered] = TEXT.exec(unseal(text)) ?? [];
  if (remembered === undefined) return undefined;
  const cursor = {
    position: Number(position),
    total: Number(total),
    remembered: remembered === "" ? [] : remembered.split("."),
  };
  return encodeCursor(cursor) === text ? cursor : undefined;
}

/** Encodes the cursor of a row in a list that is ordered by username. */
export function encodeUsernameCursor(username: string): string {
  // A name may have lone surrogates, which only JSON preserves.
  return seal(`sip-username:${JSON.stringify(username)}:`);
}

/** Decodes the username in a cursor. Returns undefined if the text is not a cursor of this gateway for a list that is ordered. */
export function decodeUsernameCursor(text: string): string | undefined {
  const [, json] = USERNAME_TEXT.exec(unseal(text)) ?? [];
  if (json === undefined) return undefined;
  try {
    const username: unknown = JSON.parse(json);
    return typeof username === "string" && encodeUsernameCursor(username) === text ? username : undefined;
  } catch {
    return undefined;
  }
}

/** Encodes a text that ends with a fingerprint of itself, so that a damaged cursor is detected. */
function seal(text: string): string {
  return Buffer.from(text + fingerprint(text)).toString("base64url");
}

function unseal(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString();
}
