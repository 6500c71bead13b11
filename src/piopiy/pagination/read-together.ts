import { GatewayError } from "../../errors.js";
import { Mismatch } from "../mismatch.js";
import { PAGE_SIZE, type SipEndpointPage } from "../protocol.js";

type Row = SipEndpointPage["rows"][number];
type ReadPage = (number: number) => Promise<SipEndpointPage>;

/** Consecutive pages of the list. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
  /** Tells whether the first page stands as it did in an earlier reading with this count. */
  isProven(page: SipEndpointPage): boolean;
}

/** Rows of consecutive pages that fit together. */
export interface JoinedPages<R = Row> {
  readonly rows: readonly R[];
  /** How many rows the list has. */
  readonly count: number;
  /** How many rows follow these. */
  readonly after: number;
}

/** So many upstream requests for each page may be spent on a list that changes while it is read. */
const MAX_REQUESTS_PER_PAGE = 20;

/**
 * Reads consecutive pages so that no row which is there all the time is missing or comes twice, in whatever order PIOPIY lists
 * them and whatever changes meanwhile. Each second page is read before and after its neighbours: when it stays the same, nothing
 * has moved across its edges. An equal `count` is no proof, since a removal and a creation leave it as it is.
 *
 * @param isProven tells whether the first page stands as it did in an earlier reading with this count
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the list changes again and again, UPSTREAM_INVALID_RESPONSE when PIOPIY
 * returns the same rows for several pages
 */
export async function readTogether(
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
    throw new Mismatch(
      "UPSTREAM_INVALID_RESPONSE",
      "PIOPIY answered list_sip with the same rows for several pages, though the list did not change.",
    );
  }
  return joined(
    pages.flatMap((each) => each?.rows ?? []),
    last,
    pages.at(-1)?.count ?? 0,
  );
}

/** Side by side. What is past the end by the newest count is empty. */
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

/** A removal and then a creation may move rows there and back; but then the count falls in between. */
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
 * Reads from the last page to the first. Each page is joined to the rows after it when both have its last row, or when the page
 * after it is the same before and after: rows that move make either the one or the other come about soon.
 */
async function readBackwards(read: ReadPage, first: number, last: number): Promise<JoinedPages> {
  let requests = 0;
  const request = (number: number) => {
    if (++requests > MAX_REQUESTS_PER_PAGE * (last - first + 1)) throw restless();
    return read(number);
  };
  for (;;) {
    const end = await request(last);
    let head = end;
    let rows: readonly Row[] | undefined = end.rows;
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

/** The rows of a page and those that follow its last row, or undefined when that is not among them. */
function overlapped(page: readonly Row[], rows: readonly Row[]): Row[] | undefined {
  const names = new Set(rows.map((row) => row?.username));
  const last = page.findLast((row) => row !== null);
  return last && names.has(last.username)
    ? [...page.filter((row) => row && !names.has(row.username)), ...rows]
    : undefined;
}

function joined(rows: readonly Row[], last: number, count: number): JoinedPages {
  return { rows, count, after: Math.max(0, count - PAGE_SIZE * last) };
}

function isSame(one: SipEndpointPage, other: SipEndpointPage | undefined): boolean {
  const names = (page: SipEndpointPage | undefined) => page?.rows.map((row) => row?.username ?? null);
  return JSON.stringify(names(one)) === JSON.stringify(names(other));
}

/** The error of a list that does not stand still for long enough to be read. */
export function restless(): GatewayError {
  return new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    "The list of SIP endpoints changed again and again while it was read. Try again.",
  );
}
