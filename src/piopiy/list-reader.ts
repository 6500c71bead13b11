import { GatewayError } from "../errors.js";
import type { Page } from "./cached-client.js";
import type { PiopiyLoader } from "./loader.js";

/** A search of 50 pages, and eight readings of the largest window with what stands before it. */
const MAX_PAGES = 150;

/** Reads pages of the list for one field, and bounds how many: others may change the list again and again meanwhile. */
export class ListReader {
  readonly #loader: PiopiyLoader;
  readonly #read = new Set<number>();
  #count = 0;

  constructor(loader: PiopiyLoader) {
    this.#loader = loader;
  }

  /** Changes whenever the list does; undefined while this gateway changes it. */
  get version(): string | undefined {
    return this.#loader.listVersion;
  }

  /**
   * Pages count from 1 and hold ten rows; past the end they are empty.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE after too many pages
   */
  async page(number: number): Promise<Page> {
    if (!this.#read.has(number) && ++this.#count > MAX_PAGES) throw restless();
    this.#read.add(number);
    return this.#loader.page(number);
  }

  /** Makes the next look at the list a fresh one: it has changed elsewhere. */
  forgetPages(): void {
    this.#read.clear();
    this.#loader.forgetPages();
  }
}

/** The error of a list that does not stand still for long enough to be read. */
export function restless(): GatewayError {
  return new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    "The list of SIP endpoints changed again and again while it was read. Try again.",
  );
}
