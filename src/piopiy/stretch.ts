import type { Page, Row } from "./cached-client.js";
import type { ListReader } from "./list-reader.js";
import { PAGE_SIZE } from "./wire.js";

/** Consecutive rows of the list. */
export interface Stretch {
  /** The place of the first row, counted from 0. */
  readonly start: number;
  /** A row that names no endpoint is null, and counts like the others. */
  readonly rows: readonly (Row | null)[];
  /** How many rows the whole list has. */
  readonly total: number;
}

/**
 * Reads the rows from place `from` up to but without `to`, and what else is on their pages, none missing in between. The
 * pages are read side by side; when the list changes meanwhile, they are read once more, one after another from the last to
 * the first: removals move rows towards the start, so that way a row may come twice, but none slips through.
 */
export async function readStretch(reader: ListReader, from: number, to: number): Promise<Stretch> {
  const first = Math.floor(from / PAGE_SIZE);
  const numbers = Array.from({ length: Math.ceil(to / PAGE_SIZE) - first }, (_, index) => first + 1 + index);
  const { version } = reader;
  const pages = await Promise.all(numbers.map((number) => reader.page(number)));
  const still = version !== undefined && version === reader.version;
  const agree = new Set(pages.map(({ count }) => count)).size <= 1;
  const isSound = pages.length <= 1 || (still && agree);
  const sound = isSound ? pages : await readBackwards(reader, numbers);
  const rows = sound.flatMap((page) => page.rows);
  return {
    start: first * PAGE_SIZE,
    rows: isSound ? rows : withoutRepetitions(rows),
    total: sound[0]?.count ?? 0,
  };
}

async function readBackwards(reader: ListReader, numbers: readonly number[]): Promise<Page[]> {
  reader.forgetPages();
  const pages: Page[] = [];
  for (const number of [...numbers].reverse()) pages.unshift(await reader.page(number));
  return pages;
}

function withoutRepetitions(rows: readonly (Row | null)[]): (Row | null)[] {
  const names = new Set<string>();
  return rows.filter((row) => !row || (!names.has(row.username) && names.add(row.username)));
}
