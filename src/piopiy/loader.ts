import DataLoader from "dataloader";
import { GatewayError } from "../errors.js";
import type { Secret } from "../secret.js";
import { comparePasswords, generatePassword } from "../sip/password.js";
import type { PiopiyClient } from "./client.js";
import type { OperationDeadline } from "./deadline.js";
import { type Directory, readDirectory, readOnce } from "./pagination/directory.js";
import { type JoinedPages, joined, type PageRange, requestsOf } from "./pagination/join-pages.js";
import type { UpstreamResponse } from "./pipeline/pipeline.js";
import {
  type Credentials,
  PAGE_SIZE,
  type Result,
  type SipEndpointPage,
  type SipEndpointRecord,
  type SipEndpointRow,
} from "./protocol.js";

/**
 * Where the data of an operation came from: all of it from the cache, a part of it, none of it, from the cache although it is too
 * old (because PIOPIY is down), or past the cache (for example to read a password).
 */
export type CacheResult = "hit" | "partial" | "miss" | "stale" | "bypass";

/** An endpoint to create. */
export interface NewEndpoint {
  readonly username: string;
  /** Null: the gateway generates one. */
  readonly password: Secret | null;
  /** The parts of the idempotency key. One part is the name of the client. */
  readonly key: readonly string[] | null;
  /** Whether to return what would be done, and to change nothing. */
  readonly isDryRun?: boolean;
}

/** An endpoint with the requested credentials. */
export interface Creation {
  readonly credentials: Credentials;
  /** False if an earlier attempt with the same key has created the endpoint. */
  readonly isNew: boolean;
}

/** A read of the whole list. */
interface Scan {
  readonly maxRows: number;
  readonly charge: (requests: number) => Promise<void>;
}

/**
 * Access to PIOPIY for one GraphQL operation. It reads each endpoint and each page once, and again after its own writes. PIOPIY
 * has no bulk request, so the read of one endpoint may fail while others succeed. A loader must not outlive its operation, since
 * its entries never expire.
 */
export class PiopiyLoader {
  readonly #client: PiopiyClient;
  readonly #deadline: OperationDeadline;
  readonly #endpoints = loader(async (username: string) =>
    this.#note(await this.#client.read("get_sip", { username }, this.#deadline)),
  );
  readonly #pages = loader(async (page: number) =>
    this.#noteRows(await this.#client.read("list_sip", { page }, this.#deadline), page),
  );
  readonly #ranges = loader(
    async (range: PageRange) =>
      this.#noteRows(await this.#client.readPages(range, this.#deadline), range.first),
    ({ first, last }) => `${first}-${last}`,
  );
  readonly #directories = loader(
    ({ maxRows, charge }: Scan) =>
      readDirectory(
        (first, last) => this.#scanPages({ first, last }, charge),
        maxRows,
        () => this.refreshPages(),
      ),
    ({ maxRows }) => maxRows,
  );
  readonly #cachedDirectories = loader((maxRows: number) =>
    readOnce((first, last) => this.#client.cachedPages({ first, last }, this.#deadline), maxRows),
  );
  readonly #uncachedEndpoints = loader(async (username: string) => {
    this.#reads.uncached++;
    return (await this.#client.read("get_sip", { username }, this.#deadline, "bypass")).value;
  });
  readonly #uncachedPages = loader(async (page: number) => {
    this.#reads.uncached++;
    return (await this.#client.read("list_sip", { page }, this.#deadline, "bypass")).value;
  });
  readonly #invalidations = new DataLoader(async (usernames: readonly string[]) => {
    await this.#client.invalidate(usernames);
    return usernames;
  });
  /** The rows that came from the cache and so have no password, with the number of their first page. */
  readonly #cachedRows: { readonly rows: readonly SipEndpointRow[]; readonly page: number }[] = [];
  /** The time, by the monotonic clock, at which PIOPIY returned the oldest response that this operation has read. */
  #oldest: number | undefined;
  readonly #reads = { cached: 0, fresh: 0, stale: 0, uncached: 0 };

  constructor(client: PiopiyClient, deadline: OperationDeadline) {
    this.#client = client;
    this.#deadline = deadline;
  }

  /** Returns the endpoint, or null when PIOPIY has none of that name. */
  endpoint(username: string): Promise<SipEndpointRecord | null> {
    return this.#endpoints.load(username);
  }

  /**
   * Starts to read an endpoint that the operation will probably need. If the read fails, `endpoint` returns the failure. Has no effect
   * after the operation has ended: others may still wait for the pages that this operation has requested.
   */
  prefetch(username: string): void {
    if (!this.#deadline.signal.aborted) this.#endpoints.load(username).catch(() => {});
  }

  /**
   * Returns a page of the list. Pages count from 1 and have ten rows; past the end they are empty.
   *
   * @param isCached whether the page may come from the cache
   */
  page(page: number, isCached = true): Promise<SipEndpointPage> {
    return (isCached ? this.#pages : this.#uncachedPages).load(page);
  }

  /** Returns the rows of several pages, joined by `joinPages`. */
  pages(range: PageRange): Promise<JoinedPages> {
    return this.#ranges.load(range);
  }

  /**
   * Returns the rows of the whole list, or the first `maxRows` of them.
   *
   * @param charge is called with the number of upstream requests after each part of the list that did not come from the cache
   */
  directory(maxRows: number, charge: Scan["charge"]): Promise<Directory> {
    return this.#directories.load({ maxRows, charge });
  }

  /** Returns the same rows if all of them are cached, otherwise undefined. Sends no upstream request. */
  cachedDirectory(maxRows: number): Promise<Directory | undefined> {
    return this.#cachedDirectories.load(maxRows);
  }

  /**
   * Reads the password of an endpoint that came from the cache, since the cache contains no passwords. If the endpoint came from
   * the list, reads its page first, and sends `get_sip` only if the page contains no valid password. Returns undefined when
   * PIOPIY returns no valid password, and null when there is no such endpoint.
   */
  async password(username: string): Promise<Secret | null | undefined> {
    const isOwn = (row: SipEndpointRow) => row?.username === username;
    const cached = this.#cachedRows.findLast(({ rows }) => rows.some(isOwn));
    const page = cached && cached.page + Math.floor(cached.rows.findIndex(isOwn) / PAGE_SIZE);
    const rows = page ? (await this.#uncachedPages.load(page)).rows : [];
    const row = rows.find(isOwn);
    if (row?.password) return row.password;
    const endpoint = await this.#uncachedEndpoints.load(username);
    return endpoint === null ? null : endpoint.password;
  }

  /**
   * The time, by the monotonic clock, at which PIOPIY returned the oldest response that this operation has read. Undefined without
   * reads, or when a response did not come from the cache or is stale.
   */
  get cachedSince(): number | undefined {
    const { fresh, stale } = this.#reads;
    return fresh + stale === 0 ? this.#oldest : undefined;
  }

  /** The time of the oldest of all responses if at least one of them is stale; otherwise undefined. */
  get staleSince(): number | undefined {
    return this.#reads.stale > 0 ? this.#oldest : undefined;
  }

  /** Where the data of this operation came from. Undefined if it has read nothing. */
  get cacheResult(): CacheResult | undefined {
    const { cached, fresh, stale, uncached } = this.#reads;
    if (stale > 0) return "stale";
    if (uncached > 0) return "bypass";
    if (fresh > 0) return cached > 0 ? "partial" : "miss";
    return cached > 0 ? "hit" : undefined;
  }

  /** Discards the list, because it has changed outside this operation. Later reads request the list again. */
  refreshPages(): void {
    void this.#client.invalidate([]);
    this.#clearPages();
  }

  /** Invalidates the list and an endpoint that contradict each other, so that the next operation reads both again. */
  async invalidate(username: string): Promise<void> {
    await this.#invalidations.load(username);
  }

  /** Returns whether PIOPIY has an endpoint of this name now, bypassing the cache. */
  async exists(username: string): Promise<boolean> {
    return (await this.#uncachedEndpoints.load(username)) !== null;
  }

  /**
   * Creates an endpoint, and generates a password unless one is passed. Returns null when the name is taken. If an earlier attempt
   * with the same key has created the endpoint, its credentials are returned instead.
   */
  async create({ username, password, key, isDryRun = false }: NewEndpoint): Promise<Creation | null> {
    const generated = key ? this.#client.derivePassword([...key, username]) : generatePassword();
    const credentials = { username, password: password ?? generated };
    const isNew = isDryRun
      ? !(await this.exists(username))
      : await this.#add(credentials).catch((error) => {
          throw password ? error : withAdvice(error, key !== null);
        });
    return isNew || (key && (await this.#hasPassword(credentials))) ? { credentials, isNew } : null;
  }

  /** Sets the password of an endpoint. Returns null when PIOPIY has no endpoint of that name. */
  update(credentials: Credentials): Promise<Credentials | null> {
    const write = this.#client.write("update_sip", credentials, this.#deadline);
    return this.#changing(credentials.username, write);
  }

  /** Removes an endpoint. Returns null when PIOPIY has none of that name. */
  remove(username: string): Promise<Result<"remove_sip">> {
    return this.#changing(username, this.#client.write("remove_sip", { username }, this.#deadline));
  }

  /**
   * Executes an action for each item, and returns the results in the order of the items. Executes only a limited number at the
   * same time, so that slots of the concurrency limit remain for other operations.
   *
   * @param act must not reject, since the results of the other items would be lost
   */
  async mapAll<Item, Value>(
    items: readonly Item[],
    act: (item: Item) => Promise<Value>,
  ): Promise<readonly Value[]> {
    const values: Value[] = [];
    const queue = items.entries();
    const work = async () => {
      for (const [index, item] of queue) values[index] = await act(item);
    };
    await Promise.all(Array.from({ length: this.#client.shareOfSlots }, work));
    return values;
  }

  /** Adds an endpoint. Returns false when the name is taken. */
  async #add(credentials: Credentials): Promise<boolean> {
    const { username } = credentials;
    const write = this.#client.write("add_sip", credentials, this.#deadline);
    const created = await this.#changing(username, write);
    this.#prime(created);
    return created !== null;
  }

  /** Returns whether an existing endpoint has this password. */
  async #hasPassword({ username, password }: Credentials): Promise<boolean> {
    const found = await this.#uncachedEndpoints.load(username);
    const comparison = found ? comparePasswords(password, found.password) : "different";
    if (comparison === "unclear") throw notComparable();
    this.#prime(found);
    return comparison === "same";
  }

  /** Keeps a record for the rest of the operation, so that its fields cost no further upstream request. */
  #prime(record: SipEndpointRecord | null): void {
    if (record && isComplete(record)) this.#endpoints.prime(record.username, record);
  }

  /** Waits for a write. Then clears all entries that it may have changed, whatever its outcome. */
  async #changing<T>(username: string, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } finally {
      this.#endpoints.clear(username);
      this.#uncachedEndpoints.clear(username);
      this.#clearPages();
    }
  }

  #clearPages(): void {
    this.#pages.clearAll();
    this.#ranges.clearAll();
    this.#directories.clearAll();
    this.#cachedDirectories.clearAll();
    this.#uncachedPages.clearAll();
  }

  async #scanPages(range: PageRange, charge: Scan["charge"]): Promise<JoinedPages> {
    const { first, last } = range;
    if (first === last) {
      const { rows, count } = await this.page(first);
      return joined(rows, last, count);
    }
    const response = await this.#client.readPages(range, this.#deadline);
    if (!response.isCached) await charge(requestsOf(last - first + 1));
    return this.#noteRows(response, first);
  }

  #noteRows<T extends { readonly rows: readonly SipEndpointRow[] }>(
    response: UpstreamResponse<T>,
    page: number,
  ): T {
    if (response.isCached) this.#cachedRows.push({ rows: response.value.rows, page });
    return this.#note(response);
  }

  #note<T>({ value, readAt, isCached, isStale }: UpstreamResponse<T>): T {
    this.#oldest = Math.min(readAt, this.#oldest ?? readAt);
    this.#reads[isStale ? "stale" : isCached ? "cached" : "fresh"]++;
    return value;
  }
}

/** Returns whether a record has all fields, so that `get_sip` is not necessary. */
function isComplete({ connectUrl, audio, video, type }: SipEndpointRecord): boolean {
  return [connectUrl, audio, video, type].every((value) => value !== undefined);
}

/** Adds the consequence for the generated password to an OUTCOME_UNKNOWN error. */
function withAdvice(error: unknown, hasKey: boolean): unknown {
  if (!(error instanceof GatewayError) || error.code !== "OUTCOME_UNKNOWN") return error;
  const advice = hasKey
    ? "A repetition with the same `idempotencyKey` returns the same generated password."
    : "The generated password is lost if the endpoint was created: replace it with rotateSipEndpointPassword. An `idempotencyKey` avoids this.";
  return new GatewayError("OUTCOME_UNKNOWN", `${error.message} ${advice}`);
}

/** Returns the error for an existing endpoint of unknown origin: PIOPIY returns no password to compare with the derived one. */
function notComparable(): GatewayError {
  return new GatewayError(
    "OUTCOME_UNKNOWN",
    "PIOPIY has an endpoint of this name but returns no password to compare, so it is unknown whether the endpoint was created with this " +
      "`idempotencyKey` or by another client. If the endpoint is yours, replace its password with rotateSipEndpointPassword.",
  );
}

/** Creates a DataLoader without batches, since PIOPIY returns one endpoint or one page per request. */
function loader<Key, Value>(
  read: (key: Key) => Promise<Value>,
  cacheKeyFn: (key: Key) => unknown = (key) => key,
): DataLoader<Key, Value, unknown> {
  return new DataLoader<Key, Value, unknown>(async ([key]) => [await read(key as Key)], {
    batch: false,
    cacheKeyFn,
  });
}
