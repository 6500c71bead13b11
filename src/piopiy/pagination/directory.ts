import { PAGE_SIZE, type SipEndpointRow } from "../protocol.js";
import { type JoinedPages, unstableList } from "./join-pages.js";

/**
 * How many pages are read together, and cached together. Half of them are in flight at a time, so that the other slots of the
 * concurrency limit stay free for other operations.
 */
const PAGES_TOGETHER = 40;
/** How often the whole list is read, if it changes too much during the read. */
const MAX_ATTEMPTS = 3;

/** All rows of the list, up to a maximum number. */
export interface Directory {
  /** A row without a valid username is null. */
  readonly rows: readonly SipEndpointRow[];
  /** How many rows the list has. */
  readonly total: number;
}

/** Reads consecutive pages of the list, without missing or repeated rows. Returns undefined if they are not available. */
type ReadPages = (first: number, last: number) => Promise<JoinedPages | undefined>;

/**
 * Reads the rows of the whole list, or the first `maxRows` of them. Pages that are read together can be cached together: they have
 * the same numbers in each read.
 *
 * @param refresh is called before the list is read again, because it has changed too much during the read
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the list changes too often
 */
export async function readDirectory(
  read: ReadPages,
  maxRows: number,
  refresh: () => void,
): Promise<Directory> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const directory = await readOnce(read, maxRows);
    if (directory) return directory;
    refresh();
  }
  throw unstableList();
}

/**
 * Reads the rows as `readDirectory` does, but only once. Returns undefined if a part is not available, or if the list changes too
 * much during the read.
 */
export async function readOnce(read: ReadPages, maxRows: number): Promise<Directory | undefined> {
  let pages = await read(1, 1);
  if (!pages) return undefined;
  const rows = [...pages.rows];
  for (let last = 1; pages.after > 0 && PAGE_SIZE * last < maxRows; ) {
    // The last page is read again with the next pages, to join them.
    const first = last;
    last = Math.min(first + PAGES_TOGETHER, Math.ceil(Math.min(pages.count, maxRows) / PAGE_SIZE));
    pages = await read(first, last);
    if (!pages || !join(rows, pages.rows)) return undefined;
  }
  return { rows: rows.slice(0, maxRows), total: pages.count };
}

/**
 * Appends rows that were read at another time and overlap. Returns false if no row is in both. Existing rows keep their relative
 * order, so each of them is either before or after a row that is in both.
 */
function join(rows: SipEndpointRow[], next: readonly SipEndpointRow[]): boolean {
  for (let end = rows.length; end > 0; end--) {
    const name = rows[end - 1]?.username;
    const joint = name === undefined ? -1 : next.findIndex((row) => row?.username === name);
    if (joint < 0) continue;
    rows.length = end;
    rows.push(...next.slice(joint + 1));
    return true;
  }
  return false;
}
