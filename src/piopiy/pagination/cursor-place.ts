import { GatewayError } from "../../errors.js";
import { PAGE_SIZE, type SipEndpointPage, type SipEndpointRow } from "../protocol.js";
import { type Cursor, fingerprint, REMEMBERED } from "./cursor.js";
import { unstableList } from "./join-pages.js";
import type { PageReader, RowRange, Shown } from "./page-reader.js";

/**
 * A stored row is a row whose fingerprint is in the cursor. If this many stored rows are still at their old positions, no row before
 * them has moved.
 */
const SURE = 2;
/** The maximum number of searches. If the list changes after a search has found the stored rows, they are searched for again. */
export const ROUNDS = 10;
/** How many rows before the old position, towards the start of the list, are searched for the stored rows. */
const MAX_SEARCHED_ROWS = 500;
/**
 * If stored rows are found further down the list than before, at least this many must be there: a single one may be an endpoint that
 * was removed and created again.
 */
const MIN_FOUND_BELOW = 2;

/** Charges the rate limit of the client for reading this many pages, or throws. */
export type ChargePages = (pages: number) => Promise<void>;

/** The rows around the place of a cursor. */
interface Surroundings {
  /** The number of rows before the place that the range must contain. */
  readonly before: number;
  /** The number of rows after the place that the range should contain. */
  readonly after: number;
  /** The rows that will be returned, if the list has not changed. */
  readonly shown?: Shown;
}

/** The place of a cursor, with the rows around it. */
export interface CursorPlace {
  readonly range: RowRange;
  /** The position after the row of the cursor. If that row was removed, the position after the last stored row that still exists. */
  readonly place: number;
}

/**
 * Finds the place of a cursor, even if creations or removals have moved its row.
 *
 * @param charge is called for the pages of a search; a search is necessary only when the stored rows have moved
 * @throws GatewayError CURSOR_EXPIRED when no stored row is found, UPSTREAM_UNAVAILABLE when the stored rows move repeatedly
 * while they are searched
 */
export async function findPlace(
  reader: PageReader,
  cursor: Cursor,
  { before, after, shown }: Surroundings,
  charge: ChargePages,
): Promise<CursorPlace> {
  const next = cursor.position + 1;
  const from = Math.max(0, next - Math.max(SURE, before));
  const isProven = canProve(from, cursor)
    ? (page: SipEndpointPage) => isProof(page, from, cursor)
    : undefined;
  let range = await reader.readRows(from, next + after, { isProven, shown });
  if (isUnmoved(range, cursor)) return { range, place: next };
  let place = placeAfter(range, cursor);
  if (place !== undefined && isEnough(range, place, Math.max(REMEMBERED, before), after))
    return { range, place };
  await charge(pagesOf(before + after));
  for (let round = 1; round <= ROUNDS; round++) {
    const moved = place ?? (await findNext(reader, cursor, range.total, charge));
    range = await reader.readRows(Math.max(0, moved - Math.max(REMEMBERED, before)), moved + after);
    place = placeAfter(range, cursor, moved);
    // One row after the place is enough to continue.
    if (place !== undefined && isEnough(range, place, before, Math.min(1, after))) return { range, place };
    reader.refresh();
  }
  throw unstableList();
}

/** Returns the place of a cursor in the whole list. Throws CURSOR_EXPIRED when no stored row is found. */
export function placeInList(list: RowRange, cursor: Cursor): CursorPlace {
  const place = isUnmoved(list, cursor) ? cursor.position + 1 : placeAfter(list, cursor);
  if (place === undefined) throw cursorExpired("");
  return { range: list, place };
}

/** Returns the position at which the rows before the cursor end. It is the position of the row of the cursor, if the row exists. */
export function endBefore({ range, place }: CursorPlace, { remembered }: Cursor): number {
  const row = range.rows[place - 1 - range.start];
  return row && fingerprint(row.username) === remembered.at(-1) ? place - 1 : place;
}

/** Returns whether the range contains this many rows before and after the place, or the start and the end of the list. */
function isEnough(
  { start, rows, after: following }: RowRange,
  place: number,
  before: number,
  after: number,
): boolean {
  return (
    (start === 0 || place - start >= before) && (following === 0 || start + rows.length >= place + after)
  );
}

/** Returns whether the first page of a range, from position `from`, ends with the position of the cursor. */
function canProve(from: number, { position }: Cursor): boolean {
  return position + 1 === PAGE_SIZE * (Math.floor(from / PAGE_SIZE) + 1);
}

/** Returns whether no row of the first page of a range, from position `from`, has moved since the cursor was created. */
function isProof(page: SipEndpointPage, from: number, cursor: Cursor): boolean {
  const { total } = cursor;
  const start = PAGE_SIZE * Math.floor(from / PAGE_SIZE);
  const range = { start, rows: page.rows, total: page.count, after: 0 };
  return total === page.count && isUnmoved(range, cursor);
}

/** Returns whether the stored rows in the range are at their old positions. This proves that no row before them has moved. */
export function isUnmoved({ rows, start }: RowRange, { position, remembered }: Cursor): boolean {
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
async function findNext(
  reader: PageReader,
  cursor: Cursor,
  total: number,
  charge: ChargePages,
): Promise<number> {
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
  throw cursorExpired(` within ${MAX_SEARCHED_ROWS} rows`);
}

function cursorExpired(where: string): GatewayError {
  return new GatewayError(
    "CURSOR_EXPIRED",
    `The list has changed too much since this cursor was created: the position to continue was not found${where}. ` +
      "Start again from the first page, without a cursor.",
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

/** Returns how many pages this many rows fill. */
export function pagesOf(rows: number): number {
  return Math.ceil(rows / PAGE_SIZE);
}

/** Returns the old position of the first stored row. */
function beginOf({ position, remembered }: Cursor): number {
  return position + 1 - remembered.length;
}

/** Returns the fingerprints of the rows with a valid username. */
export function fingerprintsOf(rows: readonly SipEndpointRow[]): string[] {
  return rows.filter((row) => row !== null).map(({ username }) => fingerprint(username));
}
