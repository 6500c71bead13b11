/** A SIP endpoint in PIOPIY's format. */
export interface UpstreamEndpoint {
  readonly code: string;
  readonly username: string;
  readonly connect_URL: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** A page of ten rows in PIOPIY's format. */
export interface UpstreamPage {
  readonly list: { readonly count: number; readonly rows: readonly { readonly username: string }[] };
}

export interface Endpoint {
  readonly username: string;
  readonly connectUrl: string;
  readonly sipUri: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** Parses a response of `get_sip`. Returns null when PIOPIY has no such endpoint. */
export function readEndpoint(reply: UpstreamEndpoint): Endpoint | null {
  if (reply.code !== "cmi-200") return null;
  const { username, connect_URL: connectUrl, audio, video, type } = reply;
  return { username, connectUrl, sipUri: `sip:${username}@${connectUrl}`, audio, video, type };
}

const PAGE_SIZE = 10;

export interface Rows {
  readonly usernames: readonly string[];
  readonly totalCount: number;
}

/** Returns a slice of the list from PIOPIY's pages of ten, which are requested in parallel. */
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
