import type { FastifyBaseLogger } from "fastify";
import type { Redis } from "../redis.js";
import type { Secret } from "../secret.js";
import type { Budget } from "./budget.js";
import type { Changes } from "./cache/changes.js";
import { OwnChanges } from "./cache/own-changes.js";
import { ReadCache, type Reading, type ReadRequest } from "./cache/read-cache.js";
import { RedisChanges } from "./cache/redis-changes.js";
import { endpointSubject, type Subject, Versions } from "./cache/versions.js";
import { WorkerChanges } from "./cache/worker-changes.js";
import type { PiopiyClient } from "./client.js";
import type { Answer, Credentials, SipEndpointPage, SipEndpointRecord } from "./wire.js";

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
  /** This process is one of several that a primary process has started. */
  readonly isWorker?: boolean;
  readonly log: FastifyBaseLogger;
}

/** PIOPIY's five calls, where reads that are not older than the last change come from the cache. */
export class CachedClient {
  readonly #client: PiopiyClient;
  readonly #versions = new Versions();
  readonly #changes: Changes;
  readonly #cache: ReadCache;
  readonly #writes = new Set<Promise<unknown>>();
  /** How many writes to the list are under way. */
  #listWrites = 0;

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

  /** The same, from PIOPIY. */
  listSipAnew(page: number, budget: Budget): Promise<SipEndpointPage> {
    return this.#cache.readAnew(this.#page(page), budget);
  }

  /** Null when the name is taken. */
  addSip(credentials: Credentials, budget: Budget): Promise<Answer<"add_sip"> | null> {
    return this.#changingList(credentials.username, () => this.#client.addSip(credentials, budget));
  }

  /** Null when PIOPIY has no endpoint of that name. */
  updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    return this.#changing(
      [endpointSubject(credentials.username)],
      this.#client.updateSip(credentials, budget),
    );
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#changingList(username, () => this.#client.removeSip(username, budget));
  }

  /** Another one after each change of the list; undefined while this process changes it. */
  get listVersion(): string | undefined {
    return this.#listWrites > 0 ? undefined : this.#versions.of("list");
  }

  /** Another number after each change of anything; undefined while nothing may be kept. */
  get version(): number | undefined {
    return this.#changes.isCurrent ? this.#versions.changes : undefined;
  }

  /** Makes the next look at the list a fresh one: it has changed elsewhere. */
  forgetList(): void {
    void this.#changes.announce(["list"]);
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
      withoutSecrets: ({ count, rows }) => ({
        count,
        rows: rows.map((row) => row && { username: row.username }),
      }),
    };
  }

  async #changingList<T>(username: string, write: () => Promise<T>): Promise<T> {
    this.#listWrites++;
    try {
      return await this.#changing([endpointSubject(username), "list"], write());
    } finally {
      this.#listWrites--;
    }
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

function connectChanges({ account, redis, isWorker, log }: CacheOptions, versions: Versions): Changes {
  if (redis) return new RedisChanges(redis, account, versions, log);
  return isWorker ? new WorkerChanges(versions) : new OwnChanges(versions);
}
