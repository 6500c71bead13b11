import { argumentError, type GatewayError } from "../../errors.js";
import { decodeCursor, decodeUsernameCursor } from "../../piopiy/pagination/cursor.js";
import type { SliceRequest } from "../../piopiy/pagination/list-slice.js";
import { hasParts, type Search } from "../../piopiy/pagination/search.js";
import { isUsername, USERNAME_RULE } from "../../sip/username.js";
import { foldCase } from "../../sip/username-order.js";
import { DEFAULT_FIRST, MAX_FIRST, MAX_NAMES } from "../cost.js";
import { MAX_FILTER_BYTES, type SipEndpointsArgs } from "./sip-endpoints.input.js";

/**
 * Returns the part of the list that the arguments request.
 *
 * @param cursors the kind of the cursors: positions in PIOPIY's list, or usernames
 */
export function readSlice<AnyCursor>(
  { first, last, offset, after, before }: SipEndpointsArgs,
  cursors: { decode(text: string): AnyCursor | undefined; readonly other: (text: string) => unknown },
): SliceRequest<AnyCursor> {
  const cursor = (name: "after" | "before", text: string | null | undefined) => {
    if (text == null) return undefined;
    const decoded = cursors.decode(text);
    if (decoded === undefined) throw cursorError(name, cursors.other(text) !== undefined);
    return decoded;
  };
  return {
    size: first ?? last ?? DEFAULT_FIRST,
    isLast: first == null && last != null,
    offset: offset ?? 0,
    after: cursor("after", after),
    before: cursor("before", before),
  };
}

/** The cursors of lists in PIOPIY's order. */
export const positionCursors = { decode: decodeCursor, other: decodeUsernameCursor };
/** The cursors of lists that are ordered by username. */
export const usernameCursors = { decode: decodeUsernameCursor, other: decodeCursor };

/** Throws an error if arguments are out of range, or cannot be combined. */
export function checkArguments({ first, after, last, before, offset }: SipEndpointsArgs): void {
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 0 || size > MAX_FIRST))
      throw argumentError(name, `must be between 0 and ${MAX_FIRST} (got ${size})`);
  }
  if (first != null && last != null) {
    throw argumentError(
      "last",
      "cannot be combined with `first`. Use `first` to read from the start of the list, or `last` to read from its end",
    );
  }
  if (after != null && before != null) {
    throw argumentError(
      "before",
      "cannot be combined with `after`. Use `after` to read the next page, or `before` to read the previous page",
    );
  }
  for (const [name, page, text] of [
    ["after", "next", after] as const,
    ["before", "previous", before] as const,
  ]) {
    if (offset == null || text == null) continue;
    throw argumentError(
      name,
      `cannot be combined with \`offset\`. Use \`${name}\` to read the ${page} page, or \`offset\` to start at a position`,
    );
  }
  if (offset != null && offset < 0) throw argumentError("offset", `must be 0 or more (got ${offset})`);
}

/** Returns the search that the arguments request. Returns undefined without a filter and an order. */
export function readSearch({ filter, orderBy }: SipEndpointsArgs, maxEndpoints: number): Search | undefined {
  if (!filter && !orderBy) return undefined;
  const { contains, startsWith, equals, in: names } = filter?.username ?? {};
  const parts = { contains: readPart("contains", contains), startsWith: readPart("startsWith", startsWith) };
  if (names && names.length > MAX_NAMES) {
    throw filterError(
      "in",
      `must have at most ${MAX_NAMES} usernames (got ${names.length}). Use several queries`,
    );
  }
  if (equals != null) checkUsername("equals", equals);
  for (const [index, name] of names?.entries() ?? []) checkUsername(`in[${index}]`, name);
  const given = equals == null ? names : (names ?? [equals]).filter((name) => name === equals);
  const wanted = given && [...new Set(given)].filter((name) => hasParts(name, parts));
  return { ...parts, names: wanted ?? undefined, direction: orderBy?.direction, maxEndpoints };
}

function readPart(operator: "contains" | "startsWith", text: string | null | undefined): string {
  const bytes = Buffer.byteLength(text ?? "");
  if (bytes > MAX_FILTER_BYTES) {
    throw filterError(
      operator,
      `must have at most ${MAX_FILTER_BYTES} bytes (got ${bytes}). Use a shorter text`,
    );
  }
  return foldCase(text ?? "");
}

function checkUsername(operator: string, name: string): void {
  if (isUsername(name)) return;
  const got = /\p{Cc}/u.test(name) ? "a control character" : `${Buffer.byteLength(name)} bytes`;
  throw filterError(operator, `${USERNAME_RULE} (got ${got})`);
}

function filterError(operator: string, problem: string): GatewayError {
  return argumentError("filter", `is invalid: \`username.${operator}\` ${problem}`);
}

/** @param isOther whether the cursor belongs to a list in another order */
function cursorError(name: "after" | "before", isOther: boolean): GatewayError {
  if (isOther) {
    return argumentError(
      name,
      "must be a cursor of a list with the same `filter` and `orderBy` (got a cursor of a list in another order). Start again without a cursor",
    );
  }
  const example =
    name === "after"
      ? "`pageInfo.endCursor` of the previous page"
      : "`pageInfo.startCursor` of the next page";
  return argumentError(
    name,
    `must be a cursor of this gateway, such as ${example}. Cursors of version 0.1 are no longer valid`,
  );
}
