import { createHash } from "node:crypto";

/** How many usernames a cursor remembers: it survives the removal of all but one of them. */
export const TRAIL = 10;
const TEXT = /^sip1:(\d{1,10})(?:\/(\d{1,10}))?:((?:[\w-]{8}(?:\.[\w-]{8}){0,9})?):/;

/** Where a walk through the list stands. */
export interface Cursor {
  /** The place of the row that was seen last, counted from 0, when the cursor was made. */
  readonly position: number;
  /** How many rows the list had then; cursors of version 0.1 do not tell. */
  readonly total?: number | undefined;
  /** Marks of the usernames that were seen last, in the order of the list. A row without a valid username has none. */
  readonly trail: readonly string[];
}

/** A short hash of a username. Among 100,000 names the chance that any two share one is 1 in 50,000. */
export function mark(username: string): string {
  return createHash("sha256").update(username).digest("base64url").slice(0, 8);
}

/** The cursor of the row at `position` of `total`, when `seen` are the marks of the rows up to it. */
export function cursorAt(position: number, total: number, seen: readonly string[]): Cursor {
  return { position, total, trail: seen.slice(-TRAIL) };
}

/** The text ends with a mark of itself, so that a damaged cursor is told from a good one. */
export function encodeCursor({ position, total, trail }: Cursor): string {
  const place = total === undefined ? position : `${position}/${total}`;
  const text = `sip1:${place}:${trail.join(".")}:`;
  return Buffer.from(text + mark(text)).toString("base64url");
}

/** Undefined for a text that is no cursor of this gateway. */
export function decodeCursor(text: string): Cursor | undefined {
  const [, position, total, trail] = TEXT.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (position === undefined || trail === undefined) return undefined;
  const cursor = {
    position: Number(position),
    total: total === undefined ? undefined : Number(total),
    trail: trail === "" ? [] : trail.split("."),
  };
  return encodeCursor(cursor) === text ? cursor : undefined;
}
