import type { PiopiyLoader } from "../loader.js";
import { PAGE_SIZE, type SipEndpointRow } from "../protocol.js";
import { type PageRange, unstableList } from "./join-pages.js";

/** The maximum number of pages for one field: a search of 50 pages, and eight reads of the largest slice with the rows before it. */
const MAX_PAGES = 150;

/** Starts to read the details of an endpoint. */
export type Prefetch = (username: string) => void;

/** Positions of rows, counted from 0: from the first one up to, but not including, the second one. */
export type Shown = readonly [from: number, to: number];

/** Consecutive rows of the list. */
export interface RowRange {
  /** The position of the first row, counted from 0. */
  readonly start: number;
  /** A row without a valid username is null, and counts like any other row. */
  readonly rows: readonly SipEndpointRow[];
  /** How many rows the whole list has. */
  readonly total: number;
  /** How many rows of the list follow these rows. */
  readonly after: number;
}

/**
 * Reads rows of the list for one field, and limits the number of pages: other clients may change the list repeatedly during the
 * read.
 */
export class PageReader {
  readonly #loader: PiopiyLoader;
  readonly #prefetch: Prefetch | undefined;
  readonly #read = new Set<string>();
  #count = 0;

  /** @param prefetch is called for rows that will probably be returned, before they are known to be consistent */
  constructor(loader: PiopiyLoader, prefetch?: Prefetch) {
    this.#loader = loader;
    this.#prefetch = prefetch;
  }

  /**
   * Reads the rows from position `from` up to, but not including, `to`, and the other rows of their pages. Several pages are joined
   * by `joinPages`.
   *
   * @param isProven see `PageRange`
   * @param shown the rows that will be returned, if the list has not changed
   * @throws GatewayError UPSTREAM_UNAVAILABLE after too many pages
   */
  async readRows(
    from: number,
    to: number,
    { isProven, shown }: Pick<PageRange, "isProven"> & { readonly shown?: Shown | undefined } = {},
  ): Promise<RowRange> {
    const first = Math.floor(from / PAGE_SIZE) + 1;
    const last = Math.ceil(to / PAGE_SIZE);
    const start = PAGE_SIZE * (first - 1);
    if (last > first) {
      this.#spend(`${first}-${last}`, last - first + 1);
      const prefetch = shown && this.#prefetchRows(shown);
      const { rows, count, after } = await this.#loader.pages({ first, last, isProven, prefetch });
      return { start, rows, total: count, after };
    }
    this.#spend(`${first}`, 1);
    const { rows, count } = await this.#loader.page(first);
    return { start, rows, total: count, after: Math.max(0, count - PAGE_SIZE * first) };
  }

  /** Reads the rows from `from` up to, but not including, `to`, uncached and without joining the pages. Used only to search. */
  async searchRows(from: number, to: number): Promise<RowRange> {
    const first = Math.floor(from / PAGE_SIZE) + 1;
    const numbers = Array.from(
      { length: Math.ceil(to / PAGE_SIZE) - first + 1 },
      (_, index) => first + index,
    );
    const pages = await Promise.all(
      numbers.map((number) => {
        this.#spend(`${number} uncached`, 1);
        return this.#loader.page(number, false);
      }),
    );
    const total = pages.at(-1)?.count ?? 0;
    const rows = pages.flatMap((page) => page.rows);
    const start = PAGE_SIZE * (first - 1);
    return { start, rows, total, after: Math.max(0, total - start - rows.length) };
  }

  /** Discards the list, because it has changed outside this operation. Later reads request it again. */
  refresh(): void {
    this.#read.clear();
    this.#loader.refreshPages();
  }

  #prefetchRows([from, to]: Shown): PageRange["prefetch"] {
    const prefetch = this.#prefetch;
    return (
      prefetch &&
      (({ rows }, number) => {
        const start = PAGE_SIZE * (number - 1);
        for (const row of rows.slice(Math.max(0, from - start), Math.max(0, to - start)))
          if (row) prefetch(row.username);
      })
    );
  }

  #spend(what: string, pages: number): void {
    if (this.#read.has(what)) return;
    this.#count += pages;
    if (this.#count > MAX_PAGES) throw unstableList();
    this.#read.add(what);
  }
}
