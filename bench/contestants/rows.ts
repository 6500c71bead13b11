import type { UpstreamPage } from "./piopiy.js";

const PAGE_SIZE = 10;

export interface Rows {
  readonly usernames: readonly string[];
  readonly totalCount: number;
}

/** Cuts rows out of PIOPIY's pages of ten, which are asked side by side. */
export async function readRows(
  first: number,
  offset: number,
  readPage: (page: number) => Promise<UpstreamPage>,
): Promise<Rows> {
  const from = Math.floor(offset / PAGE_SIZE);
  const length = Math.ceil((offset + first) / PAGE_SIZE) - from;
  const pages = await Promise.all(Array.from({ length }, (_, index) => readPage(from + index + 1)));
  const rows = pages.flatMap(({ list }) => list.rows).slice(offset - from * PAGE_SIZE);
  return {
    usernames: rows.slice(0, first).map(({ username }) => username),
    totalCount: pages[0]?.list.count ?? 0,
  };
}
