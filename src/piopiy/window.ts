import { GatewayError } from "../errors.js";
import { type Cursor, cursorAt, mark } from "./cursor.js";
import type { PiopiyLoader } from "./loader.js";
import { type ReadStretch, readSteadily, type Stretch } from "./stretch.js";
import type { Credentials } from "./wire.js";

/** A part of the list of all SIP endpoints, in PIOPIY's order. */
export interface Window {
  readonly rows: readonly { readonly row: Credentials; readonly cursor: Cursor }[];
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  readonly total: number;
}

/** The `size` rows from place `offset` on, counted from 0: one `list_sip` for each page of ten they touch. */
export function windowAt(loader: PiopiyLoader, offset: number, size: number): Promise<Window> {
  return readSteadily(loader, async (read) => {
    const stretch = await read(offset, offset + size);
    const before = stretch.rows.slice(0, offset - stretch.start).map(({ username }) => mark(username));
    return cut(stretch, offset, size, before);
  });
}

/**
 * The `size` rows after those that the cursor's walk has seen, wherever removals have moved them since.
 *
 * @throws GatewayError CURSOR_EXPIRED when none of the rows that the cursor remembers is left
 */
export function windowAfter(loader: PiopiyLoader, cursor: Cursor, size: number): Promise<Window> {
  return readSteadily(loader, async (read) => {
    for (let seen = await findSeen(read, cursor, size); ; ) {
      const stretch = await read(seen, seen + 1 + size);
      const last = endOfRun(stretch, seen, cursor);
      if (last === seen) return cut(stretch, seen + 1, size, cursor.trail);
      seen = last;
    }
  });
}

/**
 * The place of a row that the walk has seen. Removals move rows towards the start and creations add to the
 * end, so a remembered name that stands further back than it did is a new endpoint under an old name.
 */
async function findSeen(read: ReadStretch, { position, trail }: Cursor, size: number): Promise<number> {
  for (let from = position, pages = 1; ; from = Math.max(0, from - 10 * pages), pages *= 2) {
    const stretch = await read(from, position + 1 + size);
    const index = stretch.rows.findIndex(({ username }, index) => {
      const age = trail.length - 1 - trail.indexOf(mark(username));
      return age < trail.length && stretch.start + index <= position - age;
    });
    if (index >= 0) return stretch.start + index;
    if (stretch.start === 0) break;
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    "All endpoints that this cursor stood on have been removed. Start the walk again without `after`.",
  );
}

/** Rows that a walk saw one after another still stand together: the place of the last of them. */
function endOfRun({ rows, start }: Stretch, place: number, { trail }: Cursor): number {
  let last = place;
  for (
    let next = rows[last + 1 - start];
    next && trail.includes(mark(next.username));
    next = rows[last + 1 - start]
  ) {
    last += 1;
  }
  return last;
}

function cut(
  { rows, start, total }: Stretch,
  place: number,
  size: number,
  before: readonly string[],
): Window {
  const seen = [...before];
  const cutRows = rows.slice(place - start, place - start + size).map((row, index) => {
    const cursor = cursorAt(place + index, row.username, seen);
    seen.push(mark(row.username));
    return { row, cursor };
  });
  return {
    rows: cutRows,
    hasPrevious: Math.min(place, total) > 0,
    hasNext: cutRows.length === size && place + size < total,
    total,
  };
}
