import DataLoader from "dataloader";
import type { Secret } from "../secret.js";
import { comparePasswords, generatePassword } from "../sip/password.js";
import type { Budget } from "./budget.js";
import type { Reading } from "./cache/read-cache.js";
import type { CachedClient, Endpoint, Page, Row } from "./cached-client.js";
import { notComparable, withAdvice } from "./not-comparable.js";
import type { JoinedPages, PageRange } from "./pagination/read-together.js";
import { type Answer, type Credentials, PAGE_SIZE } from "./protocol.js";

/** An endpoint and its new password; null has one made. */
export interface NewPassword {
  readonly username: string;
  readonly password: Secret | null;
}

/** An endpoint that is to be made. */
export interface NewEndpoint extends NewPassword {
  /** What tells a repeated attempt from another one, and belongs to one caller. */
  readonly key: readonly string[] | null;
}

/**
 * PIOPIY as one GraphQL operation sees it: what it has asked once it does not ask again, and what it writes
 * it sees. PIOPIY knows no bulk call, so this removes double asking and nothing else; one name may fail while
 * others succeed. It must not outlive its operation, since it never forgets what it read.
 */
export class PiopiyLoader {
  readonly #client: CachedClient;
  readonly #budget: Budget;
  readonly #endpoints = loader(async (username: string) =>
    this.#note(await this.#client.getSip(username, this.#budget)),
  );
  readonly #pages = loader(async (page: number) =>
    this.#noteRows(await this.#client.listSip(page, this.#budget), page),
  );
  readonly #ranges = loader(
    async ({ first, last, isProven }: PageRange) =>
      this.#noteRows(await this.#client.listTogether(first, last, isProven, this.#budget), first),
    ({ first, last }) => `${first}-${last}`,
  );
  readonly #endpointsAnew = loader((username: string) => this.#client.getSipAnew(username, this.#budget));
  readonly #pagesAnew = loader((page: number) => this.#client.listSipAnew(page, this.#budget));
  readonly #contradictions = new DataLoader(async (usernames: readonly string[]) => {
    await this.#client.forget(usernames);
    return usernames;
  });
  /** Where rows without a password stand. */
  readonly #pageOf = new Map<string, number>();
  /** When PIOPIY told the oldest part of what was read, in milliseconds since 1970. */
  #oldest: number | undefined;
  #isKept = true;
  #isStale = false;

  constructor(client: CachedClient, budget: Budget) {
    this.#client = client;
    this.#budget = budget;
  }

  /** Null when PIOPIY has no endpoint of that name. */
  find(username: string): Promise<Endpoint | null> {
    return this.#endpoints.load(username);
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  page(page: number): Promise<Page> {
    return this.#pages.load(page);
  }

  /** The rows of several pages, which fit together. */
  pages(range: PageRange): Promise<JoinedPages<Row | null>> {
    return this.#ranges.load(range);
  }

  /** A page from PIOPIY, past the cache. */
  pageAnew(page: number): Promise<Page> {
    return this.#pagesAnew.load(page);
  }

  /**
   * The password of an endpoint that came without it, read from PIOPIY: from the list where it stands there, else from the
   * endpoint. Undefined when neither has a valid one, null when there is no such endpoint.
   */
  async password(username: string): Promise<Secret | null | undefined> {
    const page = this.#pageOf.get(username);
    const rows = page ? (await this.#pagesAnew.load(page)).rows : [];
    const row = rows.find((candidate) => candidate?.username === username);
    if (row?.password) return row.password;
    const endpoint = await this.#endpointsAnew.load(username);
    return endpoint === null ? null : endpoint.password;
  }

  /**
   * When PIOPIY told the oldest part of what this operation has read, by the monotonic clock; undefined unless it has
   * read something, and all of it was kept from before and is not stale.
   */
  get keptSince(): number | undefined {
    return this.#isKept && !this.#isStale ? this.#oldest : undefined;
  }

  /** The same when any part is stale, else undefined. */
  get staleSince(): number | undefined {
    return this.#isStale ? this.#oldest : undefined;
  }

  /** Makes the next look at the list a fresh one: it has changed elsewhere. */
  forgetPages(): void {
    void this.#client.forget([]);
    this.#clearPages();
  }

  /** Invalidates the list and an endpoint that contradict each other, so that the next operation reads both again. */
  async forgetContradiction(username: string): Promise<void> {
    await this.#contradictions.load(username);
  }

  /**
   * Makes an endpoint, and a password unless one is given. Null when the name is taken: with a key, by an endpoint that
   * is not this one, made before.
   */
  async create({ username, password, key }: NewEndpoint): Promise<Credentials | null> {
    const made = key ? this.#client.derivePassword([...key, username]) : generatePassword();
    const credentials = { username, password: password ?? made };
    const created = await this.#add(credentials).catch((error) => {
      throw password ? error : withAdvice(error, key !== null);
    });
    if (created || !key) return created;
    const found = await this.#endpointsAnew.load(username);
    const verdict = found ? comparePasswords(credentials.password, found.password) : "different";
    if (verdict === "unclear") throw notComparable();
    return verdict === "same" ? credentials : null;
  }

  /** Sets a new password, and makes one unless it is given. Null when PIOPIY has no endpoint of that name. */
  update({ username, password }: NewPassword): Promise<Credentials | null> {
    const credentials = { username, password: password ?? generatePassword() };
    return this.#changing(username, this.#client.updateSip(credentials, this.#budget));
  }

  /** Null when PIOPIY has no endpoint of that name. */
  remove(username: string): Promise<{ username: string } | null> {
    return this.#changing(username, this.#client.removeSip(username, this.#budget));
  }

  async #add(credentials: Credentials): Promise<Answer<"add_sip"> | null> {
    const { username } = credentials;
    const created = await this.#changing(username, this.#client.addSip(credentials, this.#budget));
    if (created && isComplete(created)) this.#endpoints.prime(username, created);
    return created;
  }

  /** Whatever becomes of a write, what was read before it is no longer known to be true. */
  async #changing<T>(username: string, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } finally {
      this.#endpoints.clear(username);
      this.#endpointsAnew.clear(username);
      this.#clearPages();
    }
  }

  #clearPages(): void {
    this.#pages.clearAll();
    this.#ranges.clearAll();
    this.#pagesAnew.clearAll();
  }

  #noteRows<T extends { readonly rows: readonly (Row | null)[] }>(reading: Reading<T>, page: number): T {
    for (const [index, row] of (reading.isKept ? reading.value.rows : []).entries())
      if (row) this.#pageOf.set(row.username, page + Math.floor(index / PAGE_SIZE));
    return this.#note(reading);
  }

  #note<T>({ value, readAt, isKept, isStale }: Reading<T>): T {
    this.#oldest = Math.min(readAt, this.#oldest ?? readAt);
    this.#isKept &&= isKept;
    this.#isStale ||= isStale;
    return value;
  }
}

/** Whether there is nothing more to learn from get_sip. */
function isComplete({ connectUrl, audio, video, type }: Endpoint): boolean {
  return [connectUrl, audio, video, type].every((value) => value !== undefined);
}

/** PIOPIY reads one thing a call. */
function loader<Key, Value>(
  read: (key: Key) => Promise<Value>,
  cacheKeyFn: (key: Key) => unknown = (key) => key,
): DataLoader<Key, Value, unknown> {
  return new DataLoader<Key, Value, unknown>(async ([key]) => [await read(key as Key)], {
    batch: false,
    cacheKeyFn,
  });
}
