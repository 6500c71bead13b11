import { GatewayError } from "../errors.js";
import type { PiopiyLoader } from "./loader.js";
import type { Credentials } from "./wire.js";

const PAGE_SIZE = 10;
const ROUNDS = 3;

/** Consecutive rows of the list. */
export interface Stretch {
  /** The place of the first row, counted from 0. */
  readonly start: number;
  readonly rows: readonly Credentials[];
  /** How many rows the whole list has. */
  readonly total: number;
}

/** Reads the rows from place `from` up to but without `to`, and what else is on their pages. */
export type ReadStretch = (from: number, to: number) => Promise<Stretch>;

class ListChanged extends Error {}

/**
 * Lets `work` read stretches of the list, the pages of each side by side. All stretches of one run belong to
 * one state of the list as far as its total tells: when the total changes in between, everything is read anew.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the list still changes in the third run
 */
export async function readSteadily<T>(
  loader: PiopiyLoader,
  work: (read: ReadStretch) => Promise<T>,
): Promise<T> {
  for (let round = 1; round <= ROUNDS; round++) {
    const totals = new Set<number>();
    const read: ReadStretch = async (from, to) => {
      const first = Math.floor(from / PAGE_SIZE);
      const numbers = Array.from(
        { length: Math.ceil(to / PAGE_SIZE) - first },
        (_, index) => first + 1 + index,
      );
      const pages = await Promise.all(numbers.map((number) => loader.page(number)));
      for (const page of pages) totals.add(page.count);
      const [total = 0, ...others] = totals;
      if (others.length > 0) throw new ListChanged();
      return { start: first * PAGE_SIZE, rows: pages.flatMap((page) => page.rows), total };
    };
    try {
      return await work(read);
    } catch (error) {
      if (!(error instanceof ListChanged)) throw error;
      loader.forgetPages();
    }
  }
  throw new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    "The list of SIP endpoints changed again and again while it was read. Try again, or ask for a shorter page.",
  );
}
