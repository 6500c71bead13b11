import { PAGE_SIZE, type SipEndpointPage, type SipEndpointRow } from "../protocol.js";
import { UpstreamError } from "../upstream-error.js";

type ReadPage = (number: number) => Promise<SipEndpointPage>;

/** Consecutive pages of the list. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
  /**
   * Returns whether the first page is the same as in an earlier read, in which the list had the same count. Left out if there was no
   * such read.
   */
  readonly isProven?: ((page: SipEndpointPage) => boolean) | undefined;
  /**
   * Starts further reads for the rows of a page. It is called after the first read of each page, before the rows are known to be
   * consistent. Left out if there are no further reads.
   */
  readonly prefetch?: ((page: SipEndpointPage, number: number) => void) | undefined;
}

/** Rows of consecutive pages, none of them missing or repeated. */
export interface JoinedPages {
  readonly rows: readonly SipEndpointRow[];
  /** How many rows the list has. */
  readonly count: number;
  /** How many rows of the list follow these rows. */
  readonly after: number;
}

/** The maximum number of upstream requests for each page of a list that changes while it is read. */
const MAX_REQUESTS_PER_PAGE = 20;

/** How often all pages are read, until two reads in succession are equal. */
const MAX_READS = 3;

/**
 * Reads consecutive pages of a list that may change during the read. No row that exists during the whole read is missing or
 * repeated, whatever the order of the list. An equal `count` is no proof, since a removal and a creation together do not change it.
 * So pages are read twice, and must stay the same: with `prefetch` all pages, otherwise every second page.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the list changes too often, UPSTREAM_INVALID_RESPONSE when PIOPIY returns the
 * same rows for several pages
 */
export async function joinPages(read: ReadPage, range: PageRange): Promise<JoinedPages> {
  const { first, last, isProven, prefetch } = range;
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const readFirst: ReadPage = async (number) => {
    const page = await read(number);
    prefetch?.(page, number);
    return page;
  };
  // A proven page makes the second read of the other page unnecessary.
  const isPair = numbers.length === 2 && isProven !== undefined;
  const pages =
    prefetch && !isPair
      ? await readTwice(read, readFirst, numbers)
      : await readAlternately(read, readFirst, numbers, isProven);
  if (!pages) return readBackwards(read, first, last);
  if (pages.some((one, index) => one?.rows.some(Boolean) && isSame(one, pages[index + 1]))) {
    throw new UpstreamError(
      "mismatch",
      "UPSTREAM_INVALID_RESPONSE",
      "PIOPIY responded to list_sip with the same rows for several pages, although the list did not change.",
    );
  }
  return joined(
    pages.flatMap((each) => each?.rows ?? []),
    last,
    pages.at(-1)?.count ?? 0,
  );
}

/**
 * Returns the maximum number of upstream requests that `joinPages` sends for this many pages, if the list does not change.
 *
 * @param hasPrefetch whether the range has `prefetch`
 */
export function requestsOf(pages: number, hasPrefetch = false): number {
  return pages + (hasPrefetch && pages > 1 ? pages : Math.floor(pages / 2));
}

/**
 * Reads every second page before and after its neighbors: if it stays the same, no row has moved across its edges. This needs the
 * fewest upstream requests. Returns undefined if rows have moved.
 */
async function readAlternately(
  read: ReadPage,
  readFirst: ReadPage,
  numbers: readonly number[],
  isProven: PageRange["isProven"],
): Promise<SipEndpointPage[] | undefined> {
  const checked = numbers.filter((_, index) => index % 2 === 1);
  const others = numbers.filter((_, index) => index % 2 === 0);
  const before = await readAll(readFirst, checked);
  const between = await readAll(readFirst, others, before);
  const [page, next] = [between[0], before[0]];
  const isPair = numbers.length === 2 && page && next && page.count === next.count;
  const after = isPair && isProven?.(page) ? before : await readAll(read, checked, between);
  return isSteady(before, between, after)
    ? numbers.flatMap((_, index) => (index % 2 === 0 ? between : after)[Math.floor(index / 2)] ?? [])
    : undefined;
}

/**
 * Reads all pages together, and then once more. If all of them stay the same, they are as they were between the two reads. This takes
 * two round trips, and the second one passes during the reads that `prefetch` has started. Returns undefined if rows move repeatedly.
 */
async function readTwice(
  read: ReadPage,
  readFirst: ReadPage,
  numbers: readonly number[],
): Promise<SipEndpointPage[] | undefined> {
  let before = await readAll(readFirst, numbers);
  for (let reads = 2; reads <= MAX_READS; reads++) {
    const after = await readAll(read, numbers, before);
    if (isSteady(before, after)) return after;
    before = after;
  }
  return undefined;
}

/** Reads pages in parallel. A page past the end of the list, by the count of the known pages, is empty and is not requested. */
function readAll(
  read: ReadPage,
  numbers: readonly number[],
  known: readonly SipEndpointPage[] = [],
): Promise<SipEndpointPage[]> {
  const count = known.length > 0 ? Math.max(...known.map((page) => page.count)) : Number.POSITIVE_INFINITY;
  const isPast = (number: number) => number > 1 && PAGE_SIZE * (number - 1) >= count;
  return Promise.all(
    numbers.map((number) => (isPast(number) ? Promise.resolve({ count, rows: [] }) : read(number))),
  );
}

/**
 * Returns whether the pages of the first read are the same in the last read, and no row has moved between the reads. If a removal and
 * a creation move rows away and back, the count falls.
 */
function isSteady(...reads: readonly (readonly SipEndpointPage[])[]): boolean {
  const counts = reads.map((pages) => pages.map(({ count }) => count));
  const neverFalls = counts.every(
    (later, index) => index === 0 || Math.max(...(counts[index - 1] ?? [])) <= Math.min(...later),
  );
  const last = reads.at(-1);
  return neverFalls && reads[0]?.every((page, index) => isSame(page, last?.[index])) === true;
}

/**
 * Reads from the last page to the first. A page is joined to the rows after it in two cases: these rows contain the last row of
 * the page, or the next page was the same before and after the read of this page. While rows move, one of these cases soon
 * occurs.
 */
async function readBackwards(read: ReadPage, first: number, last: number): Promise<JoinedPages> {
  let requests = 0;
  const request = (number: number) => {
    if (++requests > MAX_REQUESTS_PER_PAGE * (last - first + 1)) throw unstableList();
    return read(number);
  };
  for (;;) {
    const end = await request(last);
    let head = end;
    let rows: readonly SipEndpointRow[] | undefined = end.rows;
    for (let number = last - 1; number >= first && rows; ) {
      const page = await request(number);
      const joint = overlapped(page.rows, rows);
      const again = joint ? page : await request(number + 1);
      const isNext = !joint && isSteady([head], [page], [again]);
      rows = joint ?? (isNext ? [...page.rows, ...rows] : overlapped(again.rows, rows));
      head = isNext ? page : again;
      if (joint || isNext) number--;
    }
    if (rows) return joined(rows, last, end.count);
  }
}

/** Returns the rows of a page and those that follow its last row; undefined when the rows do not contain it. */
function overlapped(
  page: readonly SipEndpointRow[],
  rows: readonly SipEndpointRow[],
): SipEndpointRow[] | undefined {
  const names = new Set(rows.map((row) => row?.username));
  const last = page.findLast((row) => row !== null);
  return last && names.has(last.username)
    ? [...page.filter((row) => row && !names.has(row.username)), ...rows]
    : undefined;
}

/** Returns the rows of consecutive pages up to page `last`, in a list of `count` rows. */
export function joined(rows: readonly SipEndpointRow[], last: number, count: number): JoinedPages {
  return { rows, count, after: Math.max(0, count - PAGE_SIZE * last) };
}

function isSame(one: SipEndpointPage, other: SipEndpointPage | undefined): boolean {
  const names = (page: SipEndpointPage | undefined) => page?.rows.map((row) => row?.username ?? null);
  return JSON.stringify(names(one)) === JSON.stringify(names(other));
}

/** Returns the error of a list that changes too often to be read. */
export function unstableList(): UpstreamError {
  return new UpstreamError(
    "local",
    "UPSTREAM_UNAVAILABLE",
    "The list of SIP endpoints changed repeatedly while it was read. Try again.",
  );
}
