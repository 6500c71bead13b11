import DataLoader from "dataloader";
import type { Secret } from "../secret.js";
import type { Budget } from "./budget.js";
import type { Reading } from "./cache/read-cache.js";
import type { CachedClient, Endpoint, Page } from "./cached-client.js";
import { makePassword } from "./password.js";
import type { Credentials, SipEndpointRecord } from "./wire.js";

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
  readonly #endpoints = loader((username: string) => this.#note(this.#client.getSip(username, this.#budget)));
  readonly #pages = loader((page: number) => this.#readPage(page));
  readonly #endpointsAnew = loader((username: string) => this.#client.getSipAnew(username, this.#budget));
  readonly #pagesAnew = loader((page: number) => this.#client.listSipAnew(page, this.#budget));
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

  /** The password of an endpoint that came without it, read from PIOPIY; undefined when there is no such endpoint. */
  async password(username: string): Promise<Secret | undefined> {
    const page = this.#pageOf.get(username);
    const rows = page ? (await this.#pagesAnew.load(page)).rows : [];
    const row = rows.find((candidate) => candidate.username === username);
    return (row ?? (await this.#endpointsAnew.load(username)))?.password;
  }

  /**
   * When PIOPIY told the oldest part of what this operation has read, in milliseconds since 1970; undefined unless it has
   * read something, and all of it was kept from before and is not stale.
   */
  get keptSince(): number | undefined {
    return this.#isKept && !this.#isStale ? this.#oldest : undefined;
  }

  /** The same when any part is stale, else undefined. */
  get staleSince(): number | undefined {
    return this.#isStale ? this.#oldest : undefined;
  }

  /** Changes whenever the list does; undefined while this gateway changes it. */
  get listVersion(): string | undefined {
    return this.#client.listVersion;
  }

  /** Makes the next look at the list a fresh one: it has changed elsewhere. */
  forgetPages(): void {
    this.#client.forgetList();
    this.#clearPages();
  }

  /**
   * Makes an endpoint, and a password unless one is given. Null when the name is taken: with a key, by an endpoint that
   * is not this one, made before.
   */
  async create({ username, password, key }: NewEndpoint): Promise<SipEndpointRecord | null> {
    const made = key ? this.#client.derivePassword([...key, username]) : makePassword();
    const credentials = { username, password: password ?? made };
    const created = await this.#changing(username, this.#client.addSip(credentials, this.#budget));
    if (created) this.#endpoints.prime(created.username, created);
    if (created || !key) return created;
    const found = await this.#endpointsAnew.load(username);
    return found?.password.equals(credentials.password) ? found : null;
  }

  /** Sets a new password, and makes one unless it is given. Null when PIOPIY has no endpoint of that name. */
  update({ username, password }: NewPassword): Promise<Credentials | null> {
    const credentials = { username, password: password ?? makePassword() };
    return this.#changing(username, this.#client.updateSip(credentials, this.#budget));
  }

  /** Null when PIOPIY has no endpoint of that name. */
  remove(username: string): Promise<{ username: string } | null> {
    return this.#changing(username, this.#client.removeSip(username, this.#budget));
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
    this.#pagesAnew.clearAll();
  }

  async #readPage(number: number): Promise<Page> {
    const page = await this.#note(this.#client.listSip(number, this.#budget));
    for (const { username } of page.rows) this.#pageOf.set(username, number);
    return page;
  }

  async #note<T>(read: Promise<Reading<T>>): Promise<T> {
    const { value, readAt, isKept, isStale } = await read;
    this.#oldest = Math.min(readAt, this.#oldest ?? readAt);
    this.#isKept &&= isKept;
    this.#isStale ||= isStale;
    return value;
  }
}

/** PIOPIY reads one thing a call. */
function loader<Key, Value>(read: (key: Key) => Promise<Value>): DataLoader<Key, Value> {
  return new DataLoader<Key, Value>(async ([key]) => [await read(key as Key)], { batch: false });
}
