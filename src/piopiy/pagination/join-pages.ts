import { PAGE_SIZE, type SipEndpointPage, type SipEndpointRow } from "../protocol.js";
import { UpstreamError } from "../upstream-error.js";

type ReadPage = (number: number) => Promise<SipEndpointPage>;

/** Consecutive pages of the list. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
  /** Returns whether the first page is the same as in an earlier read, in which the list had the same count. */
  isProven(page: SipEndpointPage): boolean;
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

/**
 * Reads consecutive pages of a list that may change during the read. No row that exists during the whole read is missing or
 * repeated, whatever the order of the list. Every second page is read before and after its neighbors: if it stays the same, no
 * row has moved across its edges. An equal `count` is no proof, since a removal and a creation together do not change it.
 *
 * @param isProven returns whether the first page is the same as in an earlier read, in which the list had the same count
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the list changes too often, UPSTREAM_INVALID_RESPONSE when PIOPIY returns the
 * same rows for several pages
 */
export async function joinPages(
  read: ReadPage,
  first: number,
  last: number,
  isProven: (page: SipEndpointPage) => boolean,
): Promise<JoinedPages> {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const checked = numbers.filter((_, index) => index % 2 === 1);
  const others = numbers.filter((_, index) => index % 2 === 0);
  const before = await readAll(read, checked);
  const between = await readAll(read, others, before);
  const [page, next] = [between[0], before[0]];
  const isPair = numbers.length === 2 && page && next && page.count === next.count;
  const after = isPair && isProven(page) ? before : await readAll(read, checked, between);
  if (!isSteady(before, between, after)) return readBackwards(read, first, last);
  const pages = numbers.map((_, index) => (index % 2 === 0 ? between : after)[Math.floor(index / 2)]);
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

/** Returns how many upstream requests `joinPages` sends for this many pages, if the list does not change. */
export function requestsOf(pages: number): number {
  return pages + Math.floor(pages / 2);
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

/** Returns whether no row has moved between the reads. If a removal and a creation move rows away and back, the count falls. */
function isSteady(
  before: readonly SipEndpointPage[],
  between: readonly SipEndpointPage[],
  after: readonly SipEndpointPage[],
): boolean {
  const counts = [before, between, after].map((pages) => pages.map(({ count }) => count));
  const neverFalls = counts.every(
    (later, index) => index === 0 || Math.max(...(counts[index - 1] ?? [])) <= Math.min(...later),
  );
  return neverFalls && before.every((page, index) => isSame(page, after[index]));
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
