import { foldCase, orderKey } from "../../sip/username-order.js";
import type { PiopiyLoader } from "../loader.js";
import { PAGE_SIZE, type SipEndpointRow } from "../protocol.js";
import { type Cursor, cursorAt, encodeCursor, encodeUsernameCursor, REMEMBERED } from "./cursor.js";
import { endBefore, fingerprintsOf, placeInList } from "./cursor-place.js";
import { requestsOf } from "./join-pages.js";
import type { ListSlice, SliceRequest } from "./list-slice.js";

/** Filtering and ordering this many endpoints is charged like one upstream request of a search: it takes about 0.1 milliseconds. */
const ENDPOINTS_PER_REQUEST = 100;

type Row = NonNullable<SipEndpointRow>;

/** A search in the list of endpoints. */
export interface Search {
  /** A part of the username, with folded case. */
  readonly contains: string;
  /** The start of the username, with folded case. */
  readonly startsWith: string;
  /** The usernames to which the search is limited. All of them match the other conditions. Undefined: all usernames. */
  readonly names: readonly string[] | undefined;
  /** The direction of the order by username. Undefined: the endpoints are in PIOPIY's order. */
  readonly direction: "ASC" | "DESC" | undefined;
  /** How many rows of the list are searched. */
  readonly maxEndpoints: number;
}

/** Charges the rate limit of the client for this many upstream requests of a search, or throws. */
export type ChargeRequests = (requests: number) => Promise<void>;

/** Returns whether a username has the parts that a search requires. */
export function hasParts(
  username: string,
  { contains, startsWith }: Pick<Search, "contains" | "startsWith">,
): boolean {
  if (contains === "" && startsWith === "") return true;
  const folded = foldCase(username);
  return folded.startsWith(startsWith) && folded.includes(contains);
}

/**
 * Returns whether all endpoints match, in PIOPIY's order, so that their list costs fewer upstream requests than a search. If the whole
 * list is cached, a search costs none.
 */
export async function isListCheaper(loader: PiopiyLoader, search: Search): Promise<boolean> {
  const { contains, startsWith, names, direction, maxEndpoints } = search;
  if (names || direction || contains !== "" || startsWith !== "") return false;
  const cached = await loader.cachedDirectory(maxEndpoints);
  return !cached || cached.total > maxEndpoints;
}

/**
 * Returns whether the matching endpoints are ordered by username, and not as in PIOPIY's list. A single endpoint needs no order, so that the
 * list need not be read.
 */
export function isByUsername({ direction, names }: Search): boolean {
  return direction !== undefined || (names !== undefined && names.length <= 1);
}

/** Returns a part of the matching endpoints, in PIOPIY's order. A cursor is a position in the whole list. */
export async function searchList(
  loader: PiopiyLoader,
  search: Search,
  request: SliceRequest<Cursor>,
  charge: ChargeRequests,
): Promise<ListSlice> {
  const { rows, total, matches, unnamed, isComplete } = await scan(loader, search, charge);
  const list = { start: 0, rows, total, after: Math.max(0, total - rows.length) };
  const countBefore = (place: number) => matches.filter(({ position }) => position < place).length;
  const { after, before, offset } = request;
  const from = after ? countBefore(placeInList(list, after).place) : offset;
  const to = before ? countBefore(endBefore(placeInList(list, before), before)) : matches.length;
  const cursorOf = ({ position }: Match) => {
    const seen = rows.slice(Math.max(0, position + 1 - REMEMBERED), position + 1);
    return encodeCursor(cursorAt(position, total, fingerprintsOf(seen)));
  };
  return { ...cut(matches, from, to, request, cursorOf), unnamed, isComplete };
}

/**
 * Returns a part of the matching endpoints, ordered by username. A cursor is a username. If there are few usernames to search for, reads
 * these endpoints instead of the whole list.
 */
export async function searchByUsername(
  loader: PiopiyLoader,
  search: Search,
  request: SliceRequest<string>,
  charge: ChargeRequests,
): Promise<ListSlice> {
  const { names, direction = "ASC" } = search;
  const isLookup = names && (await isLookupCheaper(loader, names, search.maxEndpoints));
  const { matches, unnamed, isComplete } = isLookup
    ? { matches: (await lookUp(loader, names)).map((row) => ({ row })), unnamed: [], isComplete: true }
    : await scan(loader, search, charge);
  const sign = direction === "ASC" ? 1 : -1;
  const compare = (one: string, other: string) => (one < other ? -sign : one > other ? sign : 0);
  const ordered = matches
    .map(({ row }) => ({ row, key: orderKey(row.username) }))
    .sort((one, other) => compare(one.key, other.key));
  const count = (isCounted: (order: number) => boolean, username: string) => {
    const key = orderKey(username);
    return ordered.filter((one) => isCounted(compare(one.key, key))).length;
  };
  const { after, before, offset } = request;
  const from = after === undefined ? offset : count((order) => order <= 0, after);
  const to = before === undefined ? ordered.length : count((order) => order < 0, before);
  const cursorOf = ({ row }: { readonly row: Row }) => encodeUsernameCursor(row.username);
  return { ...cut(ordered, from, to, request, cursorOf), unnamed, isComplete };
}

interface Match {
  readonly row: Row;
  /** The position of the row in the list, counted from 0. */
  readonly position: number;
}

/**
 * Reads the list and finds the rows that match. If the list is too long to be read to its end, reads the missing endpoints of
 * `names` one by one, and appends them.
 */
async function scan(loader: PiopiyLoader, search: Search, charge: ChargeRequests) {
  const { maxEndpoints, names } = search;
  const { rows, total } = await loader.directory(maxEndpoints, charge);
  // The usernames of a filter have been charged already, and comparing them takes less time.
  if (!names) await charge(Math.ceil(rows.length / ENDPOINTS_PER_REQUEST));
  const wanted = names && new Set(names);
  const found = new Set<string>();
  const matches: Match[] = [];
  const unnamed: number[] = [];
  for (const [position, row] of rows.entries()) {
    if (!row) {
      // A row without a valid username is none of the wanted ones.
      if (!wanted) unnamed.push(position);
    } else if (wanted ? wanted.has(row.username) : hasParts(row.username, search)) {
      // A name that PIOPIY lists twice is one endpoint.
      if (!found.has(row.username)) matches.push({ row, position });
      found.add(row.username);
    }
  }
  if (total <= maxEndpoints) return { rows, total, matches, unnamed, isComplete: true };
  if (!names) return { rows, total, matches, unnamed, isComplete: false };
  const missing = names.filter((name) => !found.has(name));
  const appended = await lookUp(loader, missing);
  matches.push(...appended.map((row, index) => ({ row, position: rows.length + index })));
  return { rows: [...rows, ...appended], total, matches, unnamed, isComplete: true };
}

/** Returns whether reading these endpoints needs no more upstream requests than reading the list, which may be cached. */
async function isLookupCheaper(
  loader: PiopiyLoader,
  names: readonly string[],
  maxEndpoints: number,
): Promise<boolean> {
  if (names.length === 0) return true;
  if (await loader.cachedDirectory(maxEndpoints)) return false;
  if (names.length === 1) return true;
  const { count } = await loader.page(1);
  return names.length <= requestsOf(Math.ceil(count / PAGE_SIZE));
}

async function lookUp(loader: PiopiyLoader, names: readonly string[]): Promise<Row[]> {
  const rows = await Promise.all(names.map((name) => loader.endpoint(name)));
  return rows.filter((row) => row !== null);
}

/** Cuts the first or the last rows out of the matches from one index up to, but not including, another index. */
function cut<M extends { readonly row: Row }>(
  matches: readonly M[],
  from: number,
  to: number,
  { size, isLast }: SliceRequest<unknown>,
  cursorOf: (match: M) => string,
) {
  const start = isLast ? Math.max(from, to - size) : from;
  const end = Math.min(to, start + size);
  const rows = matches.slice(start, end).map((match) => ({ row: match.row, cursor: cursorOf(match) }));
  return {
    rows,
    end: rows.at(-1)?.cursor,
    hasPrevious: Math.min(start, matches.length) > 0,
    hasNext: end < matches.length,
    total: matches.length,
  };
}
