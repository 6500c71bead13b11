import { GatewayError } from "../../errors.js";
import type { PiopiyLoader } from "../loader.js";
import { PAGE_SIZE, type SipEndpointPage, type SipEndpointRow } from "../protocol.js";
import { type Cursor, cursorAt, fingerprint, REMEMBERED } from "./cursor.js";
import { unstableList } from "./join-pages.js";
import { PageReader, type RowRange } from "./page-reader.js";

/**
 * A stored row is a row whose fingerprint is in the cursor. If this many stored rows are still at their old positions, no row before
 * them has moved.
 */
const SURE = 2;
/** The maximum number of searches. If the list changes after a search has found the stored rows, they are searched for again. */
const ROUNDS = 10;
/** How many rows before the old position, towards the start of the list, are searched for the stored rows. */
const MAX_SEARCHED_ROWS = 500;
/**
 * If stored rows are found further down the list than before, at least this many must be there: a single one may be an endpoint that
 * was removed and created again.
 */
const MIN_FOUND_BELOW = 2;

/** Charges the rate limit of the client for reading this many pages, or throws. */
type Charge = (pages: number) => Promise<void>;

/** A part of the list of all SIP endpoints, in PIOPIY's order. */
export interface ListSlice {
  readonly rows: readonly { readonly row: NonNullable<SipEndpointRow>; readonly cursor: Cursor }[];
  /** The positions, counted from 0, of rows without a valid username. */
  readonly unnamed: readonly number[];
  /** The cursor of the last row, even if the row has no valid username; undefined without rows. */
  readonly end: Cursor | undefined;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  readonly total: number;
}

/** Returns `size` rows from position `offset` on, counted from 0. Reads all pages that contain these rows. */
export async function sliceAt(loader: PiopiyLoader, offset: number, size: number): Promise<ListSlice> {
  return cut(await new PageReader(loader).readRows(offset, offset + size), offset, size);
}

/**
 * Returns the next `size` rows after the cursor, even if creations or removals have moved the row of the cursor.
 *
 * @param charge is called for the pages of a search; a search is necessary only when the stored rows have moved
 * @throws GatewayError CURSOR_EXPIRED when no stored row is found, UPSTREAM_UNAVAILABLE when the stored rows move repeatedly
 * while they are searched
 */
export async function sliceAfter(
  loader: PiopiyLoader,
  cursor: Cursor,
  size: number,
  charge: Charge,
): Promise<ListSlice> {
  const reader = new PageReader(loader);
  const next = cursor.position + 1;
  let range = await reader.readRows(Math.max(0, next - SURE), next + size, (page) => isProof(page, cursor));
  if (isUnmoved(range, cursor)) return cut(range, next, size, cursor);
  let place = placeAfter(range, cursor);
  if (place !== undefined && isEnough(range, place, size)) return cut(range, place, size, cursor);
  await charge(pagesOf(size));
  for (let round = 1; round <= ROUNDS; round++) {
    const moved = place ?? (await findNext(reader, cursor, range.total, charge));
    range = await reader.readRows(Math.max(0, moved - REMEMBERED), moved + size);
    place = placeAfter(range, cursor, moved);
    const reach = range.start + range.rows.length;
    if (place !== undefined && (range.after === 0 || reach > place)) return cut(range, place, size, cursor);
    reader.refresh();
  }
  throw unstableList();
}

/** Returns whether the range contains the requested rows, and enough rows before them for a cursor. */
function isEnough({ start, rows, after }: RowRange, place: number, size: number): boolean {
  const isAtStart = start === 0 || place - start >= REMEMBERED;
  return isAtStart && (after === 0 || start + rows.length >= place + size);
}

/** Returns whether the page ends with the row of the cursor, and no row up to there has moved since the cursor was created. */
function isProof(page: SipEndpointPage, cursor: Cursor): boolean {
  const { position, total } = cursor;
  const isLast = (position + 1) % PAGE_SIZE === 0;
  const start = PAGE_SIZE * Math.floor(Math.max(0, position + 1 - SURE) / PAGE_SIZE);
  const range = { start, rows: page.rows, total: page.count, after: 0 };
  return isLast && total === page.count && isUnmoved(range, cursor);
}

/** Returns whether the stored rows in the range are at their old positions. This proves that no row before them has moved. */
function isUnmoved({ rows, start }: RowRange, { position, remembered }: Cursor): boolean {
  const seen = fingerprintsOf(rows.slice(0, position + 1 - start)).slice(-remembered.length);
  const isProven = seen.length > 0 || remembered.length === 0;
  return (
    rows.length > position - start &&
    isProven &&
    seen.every((one, index) => one === remembered.at(index - seen.length))
  );
}

/**
 * Finds the position after the stored rows that still exist. If the list has grown by n rows, the stored rows are probably n
 * positions further down, so this searches there first. Then it searches from the old position towards the start of the list.
 */
async function findNext(reader: PageReader, cursor: Cursor, total: number, charge: Charge): Promise<number> {
  const created = total - cursor.total;
  if (created > 0) {
    const next = cursor.position + 1 + created;
    await charge(pagesOf(2 * REMEMBERED) + 1);
    const place = placeAfter(
      await reader.searchRows(Math.max(0, next - REMEMBERED), Math.min(next + REMEMBERED, total)),
      cursor,
    );
    if (place !== undefined) return place;
  }
  let from = Math.max(0, Math.min(beginOf(cursor), total));
  const end = Math.max(0, from - MAX_SEARCHED_ROWS);
  for (let back = 10; ; back *= 2) {
    const range = await reader.searchRows(from, Math.min(cursor.position + 1, total));
    const place = placeAfter(range, cursor);
    if (place !== undefined) return place;
    if (range.start <= end) break;
    from = Math.max(end, range.start - back);
    await charge(pagesOf(range.start - from));
  }
  throw new GatewayError(
    "CURSOR_EXPIRED",
    "The list has changed too much since this cursor was created: the position to continue was not found within " +
      `${MAX_SEARCHED_ROWS} rows. Start again from the first page, without \`after\`.`,
  );
}

/**
 * Finds the first group of consecutive stored rows in the range, and returns the position after the group. Returns undefined when
 * the rows of the group may be endpoints that were removed and created again.
 *
 * - A group that begins at its old position or nearer to the start of the list, because rows were removed, is accepted in three cases:
 *   the range begins at the start of the list, a search has found the group at this position, or the group has more than half of the
 *   stored rows.
 * - A group that begins further down, because rows were created before it, must have more than half of the stored rows, and at least
 *   two. At least half as many rows must follow the group as have followed the cursor when the cursor was created.
 *
 * One case is not detected: if most of the stored rows are removed and created again in the same order, and enough other rows are
 * created after them, the new rows are mistaken for the old ones.
 */
function placeAfter({ rows, start, total }: RowRange, cursor: Cursor, searched?: number): number | undefined {
  const { remembered } = cursor;
  const isRemembered = (row: SipEndpointRow) =>
    row !== null && remembered.includes(fingerprint(row.username));
  const first = rows.findIndex(isRemembered);
  if (first < 0) return undefined;
  const other = rows.findIndex((row, index) => index > first && row !== null && !isRemembered(row));
  const run = rows.slice(first, other < 0 ? rows.length : other);
  const place = start + first + run.findLastIndex(isRemembered) + 1;
  const found = run.filter(isRemembered).length;
  const isMost = found > remembered.length / 2;
  if (start + first <= beginOf(cursor))
    return start === 0 || isMost || place === searched ? place : undefined;
  const followed = cursor.total - cursor.position - 1;
  return isMost && found >= MIN_FOUND_BELOW && 2 * (total - place) >= followed ? place : undefined;
}

function pagesOf(rows: number): number {
  return Math.ceil(rows / 10);
}

/** Returns the old position of the first stored row. */
function beginOf({ position, remembered }: Cursor): number {
  return position + 1 - remembered.length;
}

function fingerprintsOf(rows: readonly SipEndpointRow[]): string[] {
  return rows.filter((row) => row !== null).map(({ username }) => fingerprint(username));
}

/**
 * Cuts a slice out of a range.
 *
 * Stored rows after `place` are skipped, because an earlier page has returned them. But stored rows at the end of the list are
 * returned: they count as endpoints that were removed and created again.
 *
 * @param place the position of the first row to return
 * @param cursor the cursor that the client has sent
 */
function cut(
  { rows, start, total, after }: RowRange,
  place: number,
  size: number,
  cursor?: Cursor,
): ListSlice {
  const isSeen = (row: SipEndpointRow) =>
    row !== null && cursor?.remembered.includes(fingerprint(row.username)) === true;
  const renewed = after > 0 ? rows.length : rows.findLastIndex((row) => !isSeen(row)) + 1;
  const isSame = cursor?.position === place - 1 && isUnmoved({ rows, start, total, after }, cursor);
  const seen = isSame ? [...cursor.remembered] : fingerprintsOf(rows.slice(0, place - start));
  const names = new Set<string>();
  const shown: { row: NonNullable<SipEndpointRow>; cursor: Cursor }[] = [];
  const unnamed: number[] = [];
  let index = place - start;
  for (let left = size; left > 0 && index < rows.length; index++) {
    const row = rows[index] ?? null;
    if (row) seen.push(fingerprint(row.username));
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
    hasNext: (size === 0 || !isEmpty) && (index < rows.length || after > 0),
    total,
  };
}
