import DataLoader from "dataloader";
import { GatewayError } from "../errors.js";
import type { Secret } from "../secret.js";
import { comparePasswords, generatePassword } from "../sip/password.js";
import type { PiopiyClient } from "./client.js";
import type { OperationDeadline } from "./deadline.js";
import type { JoinedPages, PageRange } from "./pagination/join-pages.js";
import type { UpstreamResponse } from "./pipeline/pipeline.js";
import {
  type Credentials,
  PAGE_SIZE,
  type Result,
  type SipEndpointPage,
  type SipEndpointRecord,
  type SipEndpointRow,
} from "./protocol.js";

/** An endpoint and its new password; null lets the gateway generate one. */
export interface NewPassword {
  readonly username: string;
  readonly password: Secret | null;
}

/** An endpoint to create. */
export interface NewEndpoint extends NewPassword {
  /** Identifies the attempt when it is repeated; its parts include the client. */
  readonly key: readonly string[] | null;
}

/**
 * PIOPIY for one GraphQL operation: it reads each name and page once, and sees its own writes. PIOPIY has no bulk request, so one name
 * may fail while others succeed. It must not outlive its operation, since it never forgets what it read.
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
  readonly #uncachedEndpoints = loader(
    async (username: string) =>
      (await this.#client.read("get_sip", { username }, this.#deadline, "bypass")).value,
  );
  readonly #uncachedPages = loader(
    async (page: number) => (await this.#client.read("list_sip", { page }, this.#deadline, "bypass")).value,
  );
  readonly #invalidations = new DataLoader(async (usernames: readonly string[]) => {
    await this.#client.invalidate(usernames);
    return usernames;
  });
  /** The pages of rows that came without a password. */
  readonly #pageOf = new Map<string, number>();
  /** When PIOPIY returned the oldest part of what was read, by the monotonic clock. */
  #oldest: number | undefined;
  #isCached = true;
  #isStale = false;

  constructor(client: PiopiyClient, deadline: OperationDeadline) {
    this.#client = client;
    this.#deadline = deadline;
  }

  /** Returns the endpoint, or null when PIOPIY has none of that name. */
  endpoint(username: string): Promise<SipEndpointRecord | null> {
    return this.#endpoints.load(username);
  }

  /**
   * Returns a page of the list. Pages count from 1 and have ten rows; past the end they are empty.
   *
   * @param isCached whether it may come from the cache
   */
  page(page: number, isCached = true): Promise<SipEndpointPage> {
    return (isCached ? this.#pages : this.#uncachedPages).load(page);
  }

  /** Returns the rows of several pages, which fit together. */
  pages(range: PageRange): Promise<JoinedPages> {
    return this.#ranges.load(range);
  }

  /**
   * Returns the password of an endpoint that came without it, read from PIOPIY: from the list if the endpoint came from there, else
   * from the endpoint. Undefined when neither has a valid one, null when there is no such endpoint.
   */
  async password(username: string): Promise<Secret | null | undefined> {
    const page = this.#pageOf.get(username);
    const rows = page ? (await this.#uncachedPages.load(page)).rows : [];
    const row = rows.find((candidate) => candidate?.username === username);
    if (row?.password) return row.password;
    const endpoint = await this.#uncachedEndpoints.load(username);
    return endpoint === null ? null : endpoint.password;
  }

  /**
   * When PIOPIY returned the oldest part of what this operation has read, by the monotonic clock; undefined unless it has
   * read something, and all of it was cached and not stale.
   */
  get cachedSince(): number | undefined {
    return this.#isCached && !this.#isStale ? this.#oldest : undefined;
  }

  /** The same when any part is stale, else undefined. */
  get staleSince(): number | undefined {
    return this.#isStale ? this.#oldest : undefined;
  }

  /** Reads the list again from now on: it has changed elsewhere. */
  refreshPages(): void {
    void this.#client.invalidate([]);
    this.#clearPages();
  }

  /** Invalidates the list and an endpoint that contradict each other, so that the next operation reads both again. */
  async invalidate(username: string): Promise<void> {
    await this.#invalidations.load(username);
  }

  /**
   * Creates an endpoint, and generates a password unless one is given. Returns null when the name is taken: with a key, by an
   * endpoint that an earlier attempt with this key did not create.
   */
  async create({ username, password, key }: NewEndpoint): Promise<Credentials | null> {
    const generated = key ? this.#client.derivePassword([...key, username]) : generatePassword();
    const credentials = { username, password: password ?? generated };
    const created = await this.#add(credentials).catch((error) => {
      throw password ? error : withAdvice(error, key !== null);
    });
    if (created || !key) return created;
    const found = await this.#uncachedEndpoints.load(username);
    const comparison = found ? comparePasswords(credentials.password, found.password) : "different";
    if (comparison === "unclear") throw notComparable();
    return comparison === "same" ? credentials : null;
  }

  /** Sets a new password, and generates it unless it is given. Returns null when PIOPIY has no endpoint of that name. */
  update({ username, password }: NewPassword): Promise<Credentials | null> {
    const credentials = { username, password: password ?? generatePassword() };
    return this.#changing(username, this.#client.write("update_sip", credentials, this.#deadline));
  }

  /** Removes an endpoint. Returns null when PIOPIY has none of that name. */
  remove(username: string): Promise<Result<"remove_sip">> {
    return this.#changing(username, this.#client.write("remove_sip", { username }, this.#deadline));
  }

  async #add(credentials: Credentials): Promise<Result<"add_sip">> {
    const { username } = credentials;
    const write = this.#client.write("add_sip", credentials, this.#deadline);
    const created = await this.#changing(username, write);
    if (created && isComplete(created)) this.#endpoints.prime(username, created);
    return created;
  }

  /** Forgets what was read before a write, whatever its outcome. */
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
    this.#uncachedPages.clearAll();
  }

  #noteRows<T extends { readonly rows: readonly SipEndpointRow[] }>(
    response: UpstreamResponse<T>,
    page: number,
  ): T {
    for (const [index, row] of (response.isCached ? response.value.rows : []).entries())
      if (row) this.#pageOf.set(row.username, page + Math.floor(index / PAGE_SIZE));
    return this.#note(response);
  }

  #note<T>({ value, readAt, isCached, isStale }: UpstreamResponse<T>): T {
    this.#oldest = Math.min(readAt, this.#oldest ?? readAt);
    this.#isCached &&= isCached;
    this.#isStale ||= isStale;
    return value;
  }
}

/** Returns whether `get_sip` would add nothing. */
function isComplete({ connectUrl, audio, video, type }: SipEndpointRecord): boolean {
  return [connectUrl, audio, video, type].every((value) => value !== undefined);
}

/** Adds to an unknown outcome what it means for the generated password. */
function withAdvice(error: unknown, hasKey: boolean): unknown {
  if (!(error instanceof GatewayError) || error.code !== "OUTCOME_UNKNOWN") return error;
  const advice = hasKey
    ? "With the same `idempotencyKey` it returns the same generated password."
    : "The generated password is lost if the endpoint was created: updateSipEndpoint sets another one. An `idempotencyKey` avoids this.";
  return new GatewayError("OUTCOME_UNKNOWN", `${error.message} ${advice}`);
}

/** Returns the error of a creation that cannot be told from another one, since PIOPIY returns no password. */
function notComparable(): GatewayError {
  return new GatewayError(
    "OUTCOME_UNKNOWN",
    "PIOPIY has an endpoint of this name and shows no password to compare with, so it may have been created with this " +
      "`idempotencyKey`, or by somebody else. If it is yours, updateSipEndpoint sets a password.",
  );
}

/** Creates a DataLoader without batches: PIOPIY reads one thing a request. */
function loader<Key, Value>(
  read: (key: Key) => Promise<Value>,
  cacheKeyFn: (key: Key) => unknown = (key) => key,
): DataLoader<Key, Value, unknown> {
  return new DataLoader<Key, Value, unknown>(async ([key]) => [await read(key as Key)], {
    batch: false,
    cacheKeyFn,
  });
}
