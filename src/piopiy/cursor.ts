import { createHash } from "node:crypto";

/** How many usernames a cursor remembers: it survives the removal of all but one of them. */
const TRAIL = 10;
const TEXT = /^sip1:(\d{1,9}):([\w-]{8}(?:\.[\w-]{8}){0,9}):/;

/** Where a walk through the list stands. */
export interface Cursor {
  /** The place of the row that was seen last, counted from 0, when the cursor was made. */
  readonly position: number;
  /** Marks of the usernames that were seen last, in the order of the list; the last one is that row's. */
  readonly trail: readonly string[];
}

/** A short hash of a username. Among 100,000 names the chance that any two share one is 1 in 50,000. */
export function mark(username: string): string {
  return createHash("sha256").update(username).digest("base64url").slice(0, 8);
}

/** The cursor of the row at `position`, when `before` are the marks of rows right before it. */
export function cursorAt(position: number, username: string, before: readonly string[]): Cursor {
  return { position, trail: [...before, mark(username)].slice(-TRAIL) };
}

/** The text ends with a mark of itself, so that a damaged cursor is told from a good one. */
export function encodeCursor({ position, trail }: Cursor): string {
  const text = `sip1:${position}:${trail.join(".")}:`;
  return Buffer.from(text + mark(text)).toString("base64url");
}

/** Undefined for a text that is no cursor of this gateway. */
export function decodeCursor(text: string): Cursor | undefined {
  const [, position, trail] = TEXT.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (!position || !trail) return undefined;
  const cursor = { position: Number(position), trail: trail.split(".") };
  return encodeCursor(cursor) === text ? cursor : undefined;
}
