import type { PiopiyLoader } from "../loader.js";
import type { SipEndpointRow } from "../protocol.js";
import { type Cursor, cursorAt, encodeCursor, fingerprint } from "./cursor.js";
import {
  type ChargePages,
  endBefore,
  findPlace,
  fingerprintsOf,
  isUnmoved,
  pagesOf,
  ROUNDS,
} from "./cursor-place.js";
import { unstableList } from "./join-pages.js";
import { PageReader, type Prefetch, type RowRange } from "./page-reader.js";

/**
 * How many rows before a slice are read at least, if the slice is read from its end. The cursor of the first row stores them, so
 * that the cursor stays valid when some of them are removed.
 */
const MARGIN = 5;

/** The part of a list that a client requests. At most one of `offset`, `after` and `before` is set. */
export interface SliceRequest<AnyCursor> {
  /** The maximum number of rows. */
  readonly size: number;
  /** Whether the slice is at the end of the rows between the cursors, not at their start. */
  readonly isLast: boolean;
  /** How many rows at the start of the list are skipped. */
  readonly offset: number;
  readonly after: AnyCursor | undefined;
  readonly before: AnyCursor | undefined;
}

/** A part of a list of SIP endpoints. */
export interface ListSlice {
  readonly rows: readonly { readonly row: NonNullable<SipEndpointRow>; readonly cursor: string }[];
  /** The positions in PIOPIY's list, counted from 0, of rows without a valid username. */
  readonly unnamed: readonly number[];
  /** The cursor of the last row, even if the row has no valid username; undefined without rows. */
  readonly end: string | undefined;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  readonly total: number;
  /** Whether the whole list was read, as far as it is necessary. */
  readonly isComplete: boolean;
}

/**
 * Reads a part of the list of all SIP endpoints, in PIOPIY's order.
 *
 * @param charge is called for pages that are read only because the list has changed, or because two cursors of different directions are
 * combined
 * @param prefetch is called for rows that will probably be returned, while the gateway still checks whether rows have moved. Left out
 * if nothing but the list is read
 */
export async function sliceList(
  loader: PiopiyLoader,
  { size, isLast, offset, after, before }: SliceRequest<Cursor>,
  charge: ChargePages,
  prefetch?: Prefetch,
): Promise<ListSlice> {
  // With `after` and `last`, the rows after the cursor are returned only if few rows follow.
  const reader = new PageReader(loader, after && isLast ? undefined : prefetch);
  if (before)
    return isLast ? sliceBefore(reader, before, size, charge) : sliceUntil(loader, before, size, charge);
  if (!after) return isLast ? sliceEnd(reader, offset, size) : sliceAt(reader, offset, size);
  const next = after.position + 1;
  const shown = [next, next + size] as const;
  const { range, place } = await findPlace(reader, after, { before: 0, after: size, shown }, charge);
  const slice = cut(range, place, size, after);
  if (!isLast || !slice.hasNext) return slice;
  await charge(pagesOf(size + MARGIN));
  return sliceEnd(new PageReader(loader, prefetch), 0, size);
}

/** Returns `size` rows from position `offset` on, counted from 0. Reads all pages that contain these rows. */
async function sliceAt(reader: PageReader, offset: number, size: number): Promise<ListSlice> {
  const end = offset + size;
  return cut(await reader.readRows(offset, end, { shown: [offset, end] }), offset, size);
}

/** Returns the last `size` rows of the list, without the rows before position `offset`. */
async function sliceEnd(reader: PageReader, offset: number, size: number): Promise<ListSlice> {
  let { total } = await reader.readRows(0, 1);
  for (let round = 1; round <= ROUNDS; round++) {
    const from = Math.min(Math.max(offset, total - size), total);
    const range = await reader.readRows(Math.max(0, from - MARGIN), total, { shown: [from, total] });
    if (range.total === total) return cut(range, from, total - from);
    total = range.total;
    // The count may come from the cache and be older, so it is read again only if it still does not match.
    if (round > 1) reader.refresh();
  }
  throw unstableList();
}

/** Returns the last `size` rows before the cursor. */
async function sliceBefore(
  reader: PageReader,
  cursor: Cursor,
  size: number,
  charge: ChargePages,
): Promise<ListSlice> {
  const shown = [Math.max(0, cursor.position - size), cursor.position] as const;
  const found = await findPlace(reader, cursor, { before: size + 1 + MARGIN, after: 0, shown }, charge);
  const end = endBefore(found, cursor);
  const from = Math.max(0, end - size);
  return cut(found.range, from, end - from);
}

/** Returns the first `size` rows of the list, but only those before the cursor. */
async function sliceUntil(
  loader: PiopiyLoader,
  cursor: Cursor,
  size: number,
  charge: ChargePages,
): Promise<ListSlice> {
  const found = await findPlace(new PageReader(loader), cursor, { before: size + 1, after: 0 }, charge);
  const end = endBefore(found, cursor);
  if (end <= size) return cut(found.range, 0, end);
  await charge(pagesOf(size));
  return sliceAt(new PageReader(loader), 0, size);
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
  const shown: { row: NonNullable<SipEndpointRow>; cursor: string }[] = [];
  const unnamed: number[] = [];
  let index = place - start;
  for (let left = size; left > 0 && index < rows.length; index++) {
    const row = rows[index] ?? null;
    if (row) seen.push(fingerprint(row.username));
    else unnamed.push(start + index);
    if (index < renewed && isSeen(row)) continue;
    left--;
    // A name that PIOPIY lists on two pages is one endpoint.
    if (row && !names.has(row.username))
      shown.push({ row, cursor: encodeCursor(cursorAt(start + index, total, seen)) });
    if (row) names.add(row.username);
  }
  const isEmpty = index <= place - start;
  return {
    rows: shown,
    unnamed,
    end: isEmpty ? undefined : encodeCursor(cursorAt(start + index - 1, total, seen)),
    hasPrevious: Math.min(place, total) > 0,
    hasNext: (size === 0 || !isEmpty) && (index < rows.length || after > 0),
    total,
    isComplete: true,
  };
}
