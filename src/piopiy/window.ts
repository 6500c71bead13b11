import { GatewayError } from "../errors.js";
import type { Row } from "./cached-client.js";
import { type Cursor, cursorAt, mark } from "./cursor.js";
import type { PiopiyLoader } from "./loader.js";
import { readStretch, type Stretch } from "./stretch.js";

/** So many remembered rows in their old places tell that nothing has moved. */
const SURE = 2;
/** So often the remembered rows are looked for, should they move on before the rows after them are read. */
const ROUNDS = 10;

/** A part of the list of all SIP endpoints, in PIOPIY's order. */
export interface Window {
  readonly rows: readonly { readonly row: Row; readonly cursor: Cursor }[];
  /** The places, counted from 0, of rows that name no endpoint. */
  readonly unnamed: readonly number[];
  /** Stands on the last row, also where that names no endpoint; undefined when there are no rows. */
  readonly end: Cursor | undefined;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  readonly total: number;
}

/** The `size` rows from place `offset` on, counted from 0: one `list_sip` for each page of ten they touch. */
export async function windowAt(loader: PiopiyLoader, offset: number, size: number): Promise<Window> {
  return cut(await readStretch(loader, offset, offset + size), offset, size);
}

/**
 * The `size` rows after those that the cursor's walk has seen, wherever removals have moved them since.
 *
 * @throws GatewayError CURSOR_EXPIRED when none of the rows that the cursor remembers is left, UPSTREAM_UNAVAILABLE when they
 * move again and again while they are looked for
 */
export async function windowAfter(loader: PiopiyLoader, cursor: Cursor, size: number): Promise<Window> {
  const next = cursor.position + 1;
  const stretch = await readStretch(loader, Math.max(0, next - SURE), next + size);
  if (standsStill(stretch, cursor)) return cut(stretch, next, size, cursor.trail);
  for (let round = 1; round <= ROUNDS; round++) {
    const moved = await findNext(loader, cursor, stretch.total);
    const last = await readStretch(loader, Math.max(0, moved - 10), moved + size);
    const place = placeAfter(last, cursor);
    if (place !== undefined) return cut(last, place, size);
    loader.forgetPages();
  }
  throw new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    "The list of SIP endpoints changed again and again while it was read. Try again.",
  );
}

/** Whether the remembered rows of the stretch are where they were, and so all rows before them. */
function standsStill({ rows, start }: Stretch, { position, trail }: Cursor): boolean {
  const seen = marksOf(rows.slice(0, position + 1 - start)).slice(-trail.length);
  const isProven = seen.length > 0 || trail.length === 0;
  return (
    rows.length > position - start &&
    isProven &&
    seen.every((one, index) => one === trail.at(index - seen.length))
  );
}

/** The place after the remembered rows that are left, found from where they were towards the start of the list. */
async function findNext(loader: PiopiyLoader, cursor: Cursor, total: number): Promise<number> {
  let from = Math.max(0, Math.min(beginOf(cursor), total));
  for (let back = 10; ; back *= 2) {
    const stretch = await readStretch(loader, from, Math.min(cursor.position + 1, total));
    const place = placeAfter(stretch, cursor);
    if (place !== undefined) return place;
    if (stretch.start === 0) break;
    from = Math.max(0, stretch.start - back);
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    "All endpoints that this cursor stood on have been removed. Start the walk again without `after`.",
  );
}

/**
 * The place after the remembered rows that are left, if they are in the stretch. Removals move rows towards the start and
 * creations add to the end, so these rows stand together and begin no further back than they did: a name that does is a new
 * endpoint under an old name. Unless more than half of them are found, or the stretch begins with the list, they may
 * be such new ones, and the old ones have moved further. One doubt stays: when all remembered rows are gone, and of those
 * before them as many as are left after them, a new endpoint may pass for an old one.
 */
function placeAfter({ rows, start }: Stretch, cursor: Cursor): number | undefined {
  const isRemembered = (row: Row | null) => row !== null && cursor.trail.includes(mark(row.username));
  const first = rows.findIndex(isRemembered);
  const other = rows.findIndex((row, index) => index > first && row !== null && !isRemembered(row));
  const run = rows.slice(Math.max(0, first), other < 0 ? rows.length : other);
  const end = first + run.findLastIndex(isRemembered) + 1;
  const sure = start === 0 || run.filter(isRemembered).length > cursor.trail.length / 2;
  return first >= 0 && start + first <= beginOf(cursor) && sure ? start + end : undefined;
}

/** Where the remembered rows began. */
function beginOf({ position, trail }: Cursor): number {
  return position + 1 - trail.length;
}

function marksOf(rows: readonly (Row | null)[]): string[] {
  return rows.filter((row) => row !== null).map(({ username }) => mark(username));
}

function cut(
  { rows, start, total }: Stretch,
  place: number,
  size: number,
  trail: readonly string[] = marksOf(rows.slice(0, place - start)),
): Window {
  const cutRows = rows.slice(place - start, place - start + size);
  const seen = [...trail];
  const names = new Set<string>();
  const shown: { row: Row; cursor: Cursor }[] = [];
  const unnamed: number[] = [];
  cutRows.forEach((row, index) => {
    if (row) seen.push(mark(row.username));
    else unnamed.push(place + index);
    // A name that PIOPIY lists on two pages is one endpoint.
    if (row && !names.has(row.username)) shown.push({ row, cursor: cursorAt(place + index, seen) });
    if (row) names.add(row.username);
  });
  const next = place + cutRows.length;
  return {
    rows: shown,
    unnamed,
    end: cutRows.length > 0 ? cursorAt(next - 1, seen) : undefined,
    hasPrevious: Math.min(place, total) > 0,
    hasNext: cutRows.length > 0 && next < total,
    total,
  };
}
