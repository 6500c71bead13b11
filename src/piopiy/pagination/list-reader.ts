import type { Page, Row } from "../cached-client.js";
import type { PiopiyLoader } from "../loader.js";
import { type JoinedPages, type PageRange, restless } from "./read-together.js";

/** A search of 50 pages, and eight readings of the largest window with what stands before it. */
const MAX_PAGES = 150;

/** Reads pages of the list for one field, and bounds how many: others may change the list again and again meanwhile. */
export class ListReader {
  readonly #loader: PiopiyLoader;
  readonly #read = new Set<string>();
  #count = 0;

  constructor(loader: PiopiyLoader) {
    this.#loader = loader;
  }

  /**
   * Pages count from 1 and hold ten rows; past the end they are empty.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE after too many pages
   */
  async page(number: number): Promise<Page> {
    this.#spend(`${number}`, 1);
    return this.#loader.page(number);
  }

  /** The same, past the cache: for a search, which has to find what is there. */
  async pageAnew(number: number): Promise<Page> {
    this.#spend(`${number} anew`, 1);
    return this.#loader.pageAnew(number);
  }

  /** The rows of several pages, which fit together. */
  async pages(range: PageRange): Promise<JoinedPages<Row | null>> {
    const { first, last } = range;
    this.#spend(`${first}-${last}`, last - first + 1);
    return this.#loader.pages(range);
  }

  /** Makes the next look at the list a fresh one: it has changed elsewhere. */
  forgetPages(): void {
    this.#read.clear();
    this.#loader.forgetPages();
  }

  #spend(what: string, pages: number): void {
    if (this.#read.has(what)) return;
    this.#count += pages;
    if (this.#count > MAX_PAGES) throw restless();
    this.#read.add(what);
  }
}
