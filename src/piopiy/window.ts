import { GatewayError } from "../errors.js";
import { type Cursor, cursorAt, mark } from "./cursor.js";
import type { PiopiyLoader } from "./loader.js";
import { type ReadStretch, readSteadily, type Stretch } from "./stretch.js";
import type { Credentials } from "./wire.js";

/** So many remembered rows in their old places tell that nothing has moved. */
const SURE = 2;

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
    return cut(stretch, offset, size);
  });
}

/**
 * The `size` rows after those that the cursor's walk has seen, wherever removals have moved them since.
 *
 * @throws GatewayError CURSOR_EXPIRED when none of the rows that the cursor remembers is left
 */
export function windowAfter(loader: PiopiyLoader, cursor: Cursor, size: number): Promise<Window> {
  return readSteadily(loader, async (read) => {
    const next = cursor.position + 1;
    const stretch = await read(Math.max(0, next - SURE), next + size);
    if (standsStill(stretch, cursor)) return cut(stretch, next, size, cursor.trail);
    const moved = await findNext(read, cursor, stretch.total);
    return cut(await read(Math.max(0, moved - 10), moved + size), moved, size);
  });
}

/** Whether the remembered rows of the stretch are where they were, and so all rows before them. */
function standsStill({ rows, start }: Stretch, { position, trail }: Cursor): boolean {
  const seen = rows.slice(0, position + 1 - start).slice(-trail.length);
  return (
    rows.length > position - start &&
    seen.every(({ username }, index) => mark(username) === trail.at(index - seen.length))
  );
}

/**
 * The place after the remembered rows that are left. Removals move rows towards the start and creations add to
 * the end, so these rows stand together and begin no further back than they did: a name that does is a new
 * endpoint under an old name. Unless more than half of them are found, the search goes on to the start of the
 * list, lest such new ones be taken for old ones that have moved further. One doubt stays: when all remembered
 * rows are gone, and of those before them as many as are left after them, a new endpoint may pass for an old one.
 */
async function findNext(read: ReadStretch, { position, trail }: Cursor, total: number): Promise<number> {
  const begin = position + 1 - trail.length;
  const isRemembered = ({ username }: Credentials) => trail.includes(mark(username));
  let from = Math.max(0, Math.min(begin, total));
  for (let back = 10; ; back *= 2) {
    const { rows, start } = await read(from, Math.min(position + 1, total));
    const first = rows.findIndex(isRemembered);
    const other = rows.findIndex((row, index) => index > first && !isRemembered(row));
    const end = other < 0 ? rows.length : other;
    const sure = start === 0 || end - first > trail.length / 2;
    if (first >= 0 && start + first <= begin && sure) return start + end;
    if (start === 0) break;
    from = Math.max(0, start - back);
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    "All endpoints that this cursor stood on have been removed. Start the walk again without `after`.",
  );
}

function cut(
  { rows, start, total }: Stretch,
  place: number,
  size: number,
  trail: readonly string[] = rows.slice(0, place - start).map(({ username }) => mark(username)),
): Window {
  const seen = [...trail];
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
