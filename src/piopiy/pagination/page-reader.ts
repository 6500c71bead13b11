import type { PiopiyLoader } from "../loader.js";
import { PAGE_SIZE, type SipEndpointPage, type SipEndpointRow } from "../protocol.js";
import { unstableList } from "./join-pages.js";

/** The maximum number of pages for one field: a search of 50 pages, and eight reads of the largest slice with the rows before it. */
const MAX_PAGES = 150;

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
  readonly #read = new Set<string>();
  #count = 0;

  constructor(loader: PiopiyLoader) {
    this.#loader = loader;
  }

  /**
   * Reads the rows from position `from` up to, but not including, `to`, and the other rows of their pages. Several pages are joined
   * by `joinPages`.
   *
   * @param isProven returns whether the first page is the same as in an earlier read, in which the list had the same count
   * @throws GatewayError UPSTREAM_UNAVAILABLE after too many pages
   */
  async readRows(
    from: number,
    to: number,
    isProven: (page: SipEndpointPage) => boolean = () => false,
  ): Promise<RowRange> {
    const first = Math.floor(from / PAGE_SIZE) + 1;
    const last = Math.ceil(to / PAGE_SIZE);
    const start = PAGE_SIZE * (first - 1);
    if (last > first) {
      this.#spend(`${first}-${last}`, last - first + 1);
      const { rows, count, after } = await this.#loader.pages({ first, last, isProven });
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

  #spend(what: string, pages: number): void {
    if (this.#read.has(what)) return;
    this.#count += pages;
    if (this.#count > MAX_PAGES) throw unstableList();
    this.#read.add(what);
  }
}
