import type { Page, Row } from "./cached-client.js";
import type { ListReader } from "./list-reader.js";

const PAGE_SIZE = 10;

/** Consecutive rows of the list. */
export interface Stretch {
  /** The place of the first row, counted from 0. */
  readonly start: number;
  readonly rows: readonly Row[];
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
  const sound = pages.length <= 1 || (still && agree) ? pages : await readBackwards(reader, numbers);
  const rows = new Map(sound.flatMap((page) => page.rows).map((row) => [row.username, row]));
  return { start: first * PAGE_SIZE, rows: [...rows.values()], total: sound[0]?.count ?? 0 };
}

async function readBackwards(reader: ListReader, numbers: readonly number[]): Promise<Page[]> {
  reader.forgetPages();
  const pages: Page[] = [];
  for (const number of [...numbers].reverse()) pages.unshift(await reader.page(number));
  return pages;
}
