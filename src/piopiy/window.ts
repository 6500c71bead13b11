import { GatewayError } from "../errors.js";
import type { Row } from "./cached-client.js";
import { type Cursor, cursorAt, mark } from "./cursor.js";
import { ListReader, restless } from "./list-reader.js";
import type { PiopiyLoader } from "./loader.js";
import { readStretch, type Stretch } from "./stretch.js";

/** So many remembered rows in their old places tell that nothing has moved. */
const SURE = 2;
/** So often the remembered rows are looked for, should they move on before the rows after them are read. */
const ROUNDS = 10;
/** So far from where they were the remembered rows are searched, towards the start of the list. */
const MAX_SEARCHED_ROWS = 500;

/** Takes what reading so many pages costs off the rate limit of the client, or throws. */
type Charge = (pages: number) => Promise<void>;

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
  return cut(await readStretch(new ListReader(loader), offset, offset + size), offset, size);
}

/**
 * The `size` rows after those that the cursor's walk has seen, wherever removals have moved them since.
 *
 * @param charge is called for what a search reads, which only a cursor whose rows have moved needs
 * @throws GatewayError CURSOR_EXPIRED when none of the rows that the cursor remembers is found, UPSTREAM_UNAVAILABLE when they
 * move again and again while they are looked for
 */
export async function windowAfter(
  loader: PiopiyLoader,
  cursor: Cursor,
  size: number,
  charge: Charge,
): Promise<Window> {
  const reader = new ListReader(loader);
  const next = cursor.position + 1;
  const stretch = await readStretch(reader, Math.max(0, next - SURE), next + size);
  if (standsStill(stretch, cursor)) return cut(stretch, next, size, cursor.trail);
  await charge(pagesOf(size));
  for (let round = 1; round <= ROUNDS; round++) {
    const moved = await findNext(reader, cursor, stretch.total, charge);
    const last = await readStretch(reader, Math.max(0, moved - 10), moved + size);
    const place = placeAfter(last, cursor, moved);
    if (place !== undefined) return cut(last, place, size);
    reader.forgetPages();
  }
  throw restless();
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

/** The place after the remembered rows that are left, searched from where they were towards the start of the list. */
async function findNext(reader: ListReader, cursor: Cursor, total: number, charge: Charge): Promise<number> {
  let from = Math.max(0, Math.min(beginOf(cursor), total));
  const end = Math.max(0, from - MAX_SEARCHED_ROWS);
  for (let back = 10; ; back *= 2) {
    const stretch = await readStretch(reader, from, Math.min(cursor.position + 1, total));
    const place = placeAfter(stretch, cursor);
    if (place !== undefined) return place;
    if (stretch.start <= end) break;
    from = Math.max(end, stretch.start - back);
    await charge(pagesOf(stretch.start - from));
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    `None of the endpoints that this cursor remembers is left within ${MAX_SEARCHED_ROWS} rows before its place. Start the walk again without \`after\`.`,
  );
}

/**
 * The place after the remembered rows that are left, if they are in the stretch. Removals move rows towards the start and
 * creations add to the end, so these rows stand together and begin no further back than they did: a name that does is a new
 * endpoint under an old name. Unless more than half of them are found, the stretch begins with the list, or a search has found
 * them at this place, they may be such new ones, and the old ones have moved further. One doubt stays: when all remembered rows are gone, and of those
 * before them as many as are left after them, a new endpoint may pass for an old one.
 */
function placeAfter({ rows, start }: Stretch, cursor: Cursor, searched?: number): number | undefined {
  const isRemembered = (row: Row | null) => row !== null && cursor.trail.includes(mark(row.username));
  const first = rows.findIndex(isRemembered);
  const other = rows.findIndex((row, index) => index > first && row !== null && !isRemembered(row));
  const run = rows.slice(Math.max(0, first), other < 0 ? rows.length : other);
  const end = first + run.findLastIndex(isRemembered) + 1;
  const found = run.filter(isRemembered).length;
  const sure = start === 0 || found > cursor.trail.length / 2 || start + end === searched;
  return first >= 0 && start + first <= beginOf(cursor) && sure ? start + end : undefined;
}

function pagesOf(rows: number): number {
  return Math.ceil(rows / 10);
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
