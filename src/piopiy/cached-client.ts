import type { Redis } from "../redis.js";
import type { Secret } from "../secret.js";
import type { Budget } from "./budget.js";
import type { Changes } from "./cache/invalidation.js";
import { OwnChanges } from "./cache/local-invalidation.js";
import { ReadCache, type Reading, type ReadRequest } from "./cache/read-cache.js";
import { RedisChanges } from "./cache/redis-invalidation.js";
import { endpointSubject, type Subject, Versions } from "./cache/versions.js";
import { WorkerChanges } from "./cache/worker-invalidation.js";
import type { PiopiyClient } from "./client.js";
import { type JoinedPages, readTogether } from "./pagination/read-together.js";
import type { Answer, Credentials, SipEndpointPage, SipEndpointRecord } from "./protocol.js";

/** An endpoint; without its password when it is not PIOPIY's own answer. */
export type Endpoint = SipEndpointRecord;
/** A row of the list, likewise. */
export interface Row {
  readonly username: string;
  readonly password?: Secret | undefined;
}
/** Ten rows or fewer of the list, and how many endpoints the account has in all. A row that names no endpoint is null. */
export interface Page {
  readonly count: number;
  readonly rows: readonly (Row | null)[];
}

export interface CacheOptions {
  /** Milliseconds for which a reading may be served; 0 keeps nothing. */
  readonly ttlMs: number;
  /** Names the account at PIOPIY; nothing is shared with others. */
  readonly account: string;
  /** The store that several processes share, if there is one. */
  readonly redis?: Redis | undefined;
  /** Other processes on the same port: none, workers of the same primary process, or some that no message reaches. */
  readonly peers?: "none" | "workers" | "unreachable";
}

/** PIOPIY's five calls, where reads that are not older than the last change come from the cache. */
export class CachedClient {
  readonly #client: PiopiyClient;
  readonly #versions = new Versions();
  readonly #changes: Changes;
  readonly #cache: ReadCache;
  readonly #writes = new Set<Promise<unknown>>();

  constructor(client: PiopiyClient, options: CacheOptions) {
    this.#client = client;
    this.#changes = connectChanges(options, this.#versions);
    this.#cache = new ReadCache(options, this.#versions, this.#changes);
  }

  /** Null when PIOPIY has no endpoint of that name. */
  getSip(username: string, budget: Budget): Promise<Reading<Endpoint | null>> {
    return this.#cache.read(this.#endpoint(username), budget);
  }

  /** The same, from PIOPIY. */
  getSipAnew(username: string, budget: Budget): Promise<SipEndpointRecord | null> {
    return this.#cache.readAnew(this.#endpoint(username), budget);
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  listSip(page: number, budget: Budget): Promise<Reading<Page>> {
    return this.#cache.read(this.#page(page), budget);
  }

  /**
   * The rows of these pages, from the first to the last, read together as `readTogether` says. They are cached together too: pages
   * that were read at different times may not fit.
   */
  listTogether(
    first: number,
    last: number,
    isProven: (page: SipEndpointPage) => boolean,
    budget: Budget,
  ): Promise<Reading<JoinedPages<Row | null>>> {
    return this.#cache.read(this.#pages(first, last, isProven), budget);
  }

  /** A page, from PIOPIY. */
  listSipAnew(page: number, budget: Budget): Promise<SipEndpointPage> {
    return this.#cache.readAnew(this.#page(page), budget);
  }

  /** Null when the name is taken. */
  addSip(credentials: Credentials, budget: Budget): Promise<Answer<"add_sip"> | null> {
    return this.#changing(
      [endpointSubject(credentials.username), "list"],
      this.#client.addSip(credentials, budget),
    );
  }

  /** Null when PIOPIY has no endpoint of that name. */
  async updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    const { username } = credentials;
    const updated = await this.#changing(
      [endpointSubject(username)],
      this.#client.updateSip(credentials, budget),
    );
    if (!updated) await this.forget([username]);
    return updated;
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#changing([endpointSubject(username), "list"], this.#client.removeSip(username, budget));
  }

  /** Another number after each change of anything; undefined while nothing may be kept. */
  get version(): number | undefined {
    return this.#changes.isCurrent ? this.#versions.changes : undefined;
  }

  /** Invalidates the list and these endpoints in all processes, since they have changed elsewhere. */
  async forget(usernames: readonly string[]): Promise<void> {
    await this.#changes.announce(["list", ...usernames.map(endpointSubject)]);
  }

  /** The password that belongs to these parts and to this account, the same each time. */
  derivePassword(parts: readonly string[]): Secret {
    return this.#client.derivePassword(parts);
  }

  /** Whether PIOPIY is asked; while it is out of order it is not. */
  get isAsking(): boolean {
    return this.#client.isAsking;
  }

  /** Waits for the writes that are under way, and until others know of them. */
  async close(): Promise<void> {
    await this.#client.close();
    await Promise.allSettled(this.#writes);
    this.#changes.close();
  }

  #endpoint(username: string): ReadRequest<SipEndpointRecord | null, Endpoint | null> {
    const subject = endpointSubject(username);
    return {
      subject,
      key: `get_sip ${subject}`,
      ask: (budget) => this.#client.getSip(username, budget),
      withoutSecrets(record) {
        if (!record) return null;
        const { password: _, ...rest } = record;
        return rest;
      },
    };
  }

  #page(page: number): ReadRequest<SipEndpointPage, Page> {
    return {
      subject: "list",
      key: `list_sip ${page}`,
      ask: (budget) => this.#client.listSip(page, budget),
      withoutSecrets: withoutPasswords,
    };
  }

  #pages(
    first: number,
    last: number,
    isProven: (page: SipEndpointPage) => boolean,
  ): ReadRequest<JoinedPages, JoinedPages<Row | null>> {
    return {
      subject: "list",
      key: `list_sip ${first}-${last}`,
      ask: (budget) =>
        readTogether((page) => this.#cache.refresh(this.#page(page), budget), first, last, isProven),
      withoutSecrets: withoutPasswords,
    };
  }

  /** Whatever becomes of a write, what was read before its end is no longer known to be true. */
  async #changing<T>(subjects: readonly Subject[], write: Promise<T>): Promise<T> {
    const work = write.finally(() => this.#changes.announce(subjects));
    this.#writes.add(work);
    try {
      return await work;
    } finally {
      this.#writes.delete(work);
    }
  }
}

function withoutPasswords<T extends { readonly rows: readonly (Row | null)[] }>(
  list: T,
): T & { readonly rows: readonly (Row | null)[] } {
  return { ...list, rows: list.rows.map((row) => row && { username: row.username }) };
}

function connectChanges({ account, redis, peers = "none" }: CacheOptions, versions: Versions): Changes {
  if (redis) return new RedisChanges(redis, account, versions);
  return peers === "workers" ? new WorkerChanges(versions) : new OwnChanges(versions, peers === "none");
}
