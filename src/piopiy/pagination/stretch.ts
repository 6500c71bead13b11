import type { Page, Row } from "../cached-client.js";
import { PAGE_SIZE } from "../protocol.js";
import type { ListReader } from "./list-reader.js";

/** Consecutive rows of the list. */
export interface Stretch {
  /** The place of the first row, counted from 0. */
  readonly start: number;
  /** A row that names no endpoint is null, and counts like the others. */
  readonly rows: readonly (Row | null)[];
  /** How many rows the whole list has. */
  readonly total: number;
  /** How many rows follow. */
  readonly after: number;
}

/**
 * Reads the rows from place `from` up to but without `to`, and what else is on their pages. What is on several pages fits
 * together as `readTogether` says.
 *
 * @param isProven tells whether the first page stands as it did in an earlier reading with this count
 */
export async function readStretch(
  reader: ListReader,
  from: number,
  to: number,
  isProven: (page: Page) => boolean = () => false,
): Promise<Stretch> {
  const first = Math.floor(from / PAGE_SIZE) + 1;
  const last = Math.ceil(to / PAGE_SIZE);
  const start = PAGE_SIZE * (first - 1);
  if (last > first) {
    const { rows, count, after } = await reader.pages({ first, last, isProven });
    return { start, rows, total: count, after };
  }
  const { rows, count } = await reader.page(first);
  return { start, rows, total: count, after: Math.max(0, count - PAGE_SIZE * first) };
}

/** Looks at the rows from place `from` up to but without `to`, each page for itself: good for a search only. */
export async function lookAt(reader: ListReader, from: number, to: number): Promise<Stretch> {
  const first = Math.floor(from / PAGE_SIZE) + 1;
  const numbers = Array.from({ length: Math.ceil(to / PAGE_SIZE) - first + 1 }, (_, index) => first + index);
  const pages = await Promise.all(numbers.map((number) => reader.pageAnew(number)));
  const total = pages.at(-1)?.count ?? 0;
  const rows = pages.flatMap((page) => page.rows);
  const start = PAGE_SIZE * (first - 1);
  return { start, rows, total, after: Math.max(0, total - start - rows.length) };
}
