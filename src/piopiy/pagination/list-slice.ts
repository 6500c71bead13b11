import { GatewayError } from "../../errors.js";
import type { Page, Row } from "../cached-client.js";
import type { PiopiyLoader } from "../loader.js";
import { PAGE_SIZE } from "../protocol.js";
import { type Cursor, cursorAt, mark, TRAIL } from "./cursor.js";
import { ListReader } from "./list-reader.js";
import { restless } from "./read-together.js";
import { lookAt, readStretch, type Stretch } from "./stretch.js";

/** So many remembered rows in their old places tell that nothing has moved. */
const SURE = 2;
/** So often the remembered rows are looked for, should they move on before the rows after them are read. */
const ROUNDS = 10;
/** So far from where they were the remembered rows are searched, towards the start of the list. */
const MAX_SEARCHED_ROWS = 500;
/** So many remembered rows must be found further down than they were: a single one may be a new endpoint under an old name. */
const MIN_FOUND_BELOW = 2;

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
 * The `size` rows after those that the cursor's walk has seen, wherever changes have moved them since.
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
  let stretch = await readStretch(reader, Math.max(0, next - SURE), next + size, (page) =>
    isProof(page, cursor),
  );
  if (standsStill(stretch, cursor)) return cut(stretch, next, size, cursor);
  let place = placeAfter(stretch, cursor);
  if (place !== undefined && isEnough(stretch, place, size)) return cut(stretch, place, size, cursor);
  await charge(pagesOf(size));
  for (let round = 1; round <= ROUNDS; round++) {
    const moved = place ?? (await findNext(reader, cursor, stretch.total, charge));
    stretch = await readStretch(reader, Math.max(0, moved - TRAIL), moved + size);
    place = placeAfter(stretch, cursor, moved);
    const reach = stretch.start + stretch.rows.length;
    if (place !== undefined && (stretch.after === 0 || reach > place))
      return cut(stretch, place, size, cursor);
    reader.forgetPages();
  }
  throw restless();
}

/** Whether the stretch has the rows that are wanted, and enough before them for a cursor to remember. */
function isEnough({ start, rows, after }: Stretch, place: number, size: number): boolean {
  const isAtStart = start === 0 || place - start >= TRAIL;
  return isAtStart && (after === 0 || start + rows.length >= place + size);
}

/** Whether the page before the next row is as it was when the cursor was made, and so is every row before it. */
function isProof(page: Page, { position, total = page.count, trail }: Cursor): boolean {
  const isLast = (position + 1) % PAGE_SIZE === 0;
  const start = PAGE_SIZE * Math.floor(Math.max(0, position + 1 - SURE) / PAGE_SIZE);
  const stretch = { start, rows: page.rows, total: page.count, after: 0 };
  return isLast && total === page.count && standsStill(stretch, { position, trail });
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

/**
 * The place after the remembered rows that are left: where creations before them have moved them if nothing else has changed, or
 * searched from where they were towards the start of the list.
 */
async function findNext(reader: ListReader, cursor: Cursor, total: number, charge: Charge): Promise<number> {
  const created = total - (cursor.total ?? total);
  if (created > 0) {
    const next = cursor.position + 1 + created;
    await charge(pagesOf(2 * TRAIL) + 1);
    const place = placeAfter(
      await lookAt(reader, Math.max(0, next - TRAIL), Math.min(next + TRAIL, total)),
      cursor,
    );
    if (place !== undefined) return place;
  }
  let from = Math.max(0, Math.min(beginOf(cursor), total));
  const end = Math.max(0, from - MAX_SEARCHED_ROWS);
  for (let back = 10; ; back *= 2) {
    const stretch = await lookAt(reader, from, Math.min(cursor.position + 1, total));
    const place = placeAfter(stretch, cursor);
    if (place !== undefined) return place;
    if (stretch.start <= end) break;
    from = Math.max(end, stretch.start - back);
    await charge(pagesOf(stretch.start - from));
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    `None of the endpoints that this cursor remembers is where it was, within ${MAX_SEARCHED_ROWS} rows before that place, or where ` +
      "new endpoints before it would have moved it. Start the walk again without `after`.",
  );
}

/**
 * The place after the first remembered rows that stand together in the stretch, if they are the ones that the walk has seen and not
 * new endpoints under old names. They are when nothing else can be (the stretch begins with the list, or a search has found them at
 * this place), or when more than half of them are found; and they either begin no further down than they did, as after
 * removals, or at least half as many rows follow them as did then, as after creations before them. One doubt stays: when
 * remembered rows are removed and created again together, with as many others, they may pass for the old ones.
 */
function placeAfter({ rows, start, total }: Stretch, cursor: Cursor, searched?: number): number | undefined {
  const { trail } = cursor;
  const isRemembered = (row: Row | null) => row !== null && trail.includes(mark(row.username));
  const first = rows.findIndex(isRemembered);
  if (first < 0) return undefined;
  const other = rows.findIndex((row, index) => index > first && row !== null && !isRemembered(row));
  const run = rows.slice(first, other < 0 ? rows.length : other);
  const place = start + first + run.findLastIndex(isRemembered) + 1;
  const found = run.filter(isRemembered).length;
  const isMost = found > trail.length / 2;
  if (start + first <= beginOf(cursor))
    return start === 0 || isMost || place === searched ? place : undefined;
  const followed = (cursor.total ?? Number.POSITIVE_INFINITY) - cursor.position - 1;
  return isMost && found >= MIN_FOUND_BELOW && 2 * (total - place) >= followed ? place : undefined;
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

/**
 * @param cursor that of the walk. A remembered row after the place has been seen already: others have been created before it. At
 * the end of the list it is a new endpoint under an old name.
 */
function cut({ rows, start, total, after }: Stretch, place: number, size: number, cursor?: Cursor): Window {
  const isSeen = (row: Row | null) => row !== null && cursor?.trail.includes(mark(row.username)) === true;
  const renewed = after > 0 ? rows.length : rows.findLastIndex((row) => !isSeen(row)) + 1;
  const isStill = cursor?.position === place - 1 && standsStill({ rows, start, total, after }, cursor);
  const seen = isStill ? [...cursor.trail] : marksOf(rows.slice(0, place - start));
  const names = new Set<string>();
  const shown: { row: Row; cursor: Cursor }[] = [];
  const unnamed: number[] = [];
  let index = place - start;
  for (let left = size; left > 0 && index < rows.length; index++) {
    const row = rows[index] ?? null;
    if (row) seen.push(mark(row.username));
    else unnamed.push(start + index);
    if (index < renewed && isSeen(row)) continue;
    left--;
    // A name that PIOPIY lists on two pages is one endpoint.
    if (row && !names.has(row.username)) shown.push({ row, cursor: cursorAt(start + index, total, seen) });
    if (row) names.add(row.username);
  }
  const isEmpty = index <= place - start;
  return {
    rows: shown,
    unnamed,
    end: isEmpty ? undefined : cursorAt(start + index - 1, total, seen),
    hasPrevious: Math.min(place, total) > 0,
    hasNext: !isEmpty && (index < rows.length || after > 0),
    total,
  };
}
