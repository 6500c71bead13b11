import type { FastifyBaseLogger } from "fastify";
import type { Redis } from "../redis.js";
import type { Secret } from "../secret.js";
import { derivePassword } from "../sip/password.js";
import { observeQueueWait, type UpstreamLoad } from "../telemetry/metrics.js";
import {
  endpointSubject,
  type Invalidation,
  invalidate,
  LocalInvalidation,
  Versions,
} from "./cache/invalidation.js";
import { readCache } from "./cache/read-cache.js";
import { RedisInvalidation } from "./cache/redis-invalidation.js";
import { WorkerInvalidation } from "./cache/worker-invalidation.js";
import type { Deadline, OperationDeadline } from "./deadline.js";
import { type JoinedPages, joined, joinPages, type PageRange } from "./pagination/join-pages.js";
import { AccountState } from "./pipeline/account-state.js";
import { CircuitBreaker } from "./pipeline/circuit-breaker.js";
import { ConcurrencyLimit, endpointLock } from "./pipeline/concurrency-limit.js";
import {
  compose,
  received,
  type Send,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./pipeline/pipeline.js";
import { reconcile } from "./pipeline/reconcile.js";
import { RetryBudget, retry } from "./pipeline/retry.js";
import { singleFlight } from "./pipeline/single-flight.js";
import {
  type AnyParameters,
  type Parameters,
  type ReadOperation,
  type Result,
  type SipEndpointPage,
  type WriteOperation,
} from "./protocol.js";
import { Transport, type TransportOptions } from "./transport.js";
import { UpstreamLog } from "./upstream-log.js";

/** The maximum length of the queue of reads, and of the queue of writes, for each slot of the concurrency limit. */
const WAITING_PER_SLOT = 50;
/** How long equal reads share one upstream request while the gateway cannot receive invalidations. */
const UNCACHED_SHARING_MS = 250;
/** Shows that the cache has no entry, when a read may not send an upstream request. */
const notCached = new Error("Not cached");

export interface PiopiyClientOptions extends TransportOptions {
  /** The maximum number of upstream requests in flight. */
  readonly maxConcurrency: number;
  /** Milliseconds from the opening of the circuit breaker to its probe. */
  readonly breakerResetMs: number;
  /** Milliseconds for which a response may be served from the cache; 0 turns the cache off. */
  readonly cacheTtlMs: number;
  /** The Redis that several processes share, if there is one. */
  readonly redis?: Redis | undefined;
  /** Other processes on the same port: none, workers of the same primary process, or processes without a message channel. */
  readonly peers?: "none" | "workers" | "unreachable" | undefined;
}

/** A client of PIOPIY's five operations. Every failure is a `GatewayError`. */
export class PiopiyClient {
  readonly #secret: Secret;
  /** The slots of the concurrency limit that one operation on many endpoints may occupy at the same time: half of them. */
  readonly shareOfSlots: number;
  readonly #transport: Transport;
  readonly #breaker: CircuitBreaker;
  readonly #account = new AccountState();
  readonly #limit: ConcurrencyLimit;
  readonly #retryBudget = new RetryBudget();
  readonly #versions = new Versions();
  readonly #invalidation: Invalidation;
  readonly #read: Send;
  readonly #readPages: Send;
  readonly #readCached: Send;
  readonly #write: Send;
  readonly #writes = new Set<Promise<unknown>>();

  constructor(options: PiopiyClientOptions, logger: FastifyBaseLogger) {
    const { url, appId, secret, maxConcurrency, breakerResetMs, cacheTtlMs, redis } = options;
    const account = `${url}#${appId}`;
    const log = new UpstreamLog(logger, url, secret);
    this.#secret = secret;
    this.shareOfSlots = Math.ceil(maxConcurrency / 2);
    this.#transport = new Transport(options, log);
    this.#breaker = new CircuitBreaker(breakerResetMs, log);
    this.#invalidation = createInvalidation(options, account, this.#versions);

    const { failFast, count } = this.#breaker;
    this.#limit = new ConcurrencyLimit(maxConcurrency, maxConcurrency * WAITING_PER_SLOT, (priority, ms) =>
      observeQueueWait({ priority }, ms),
    );
    const limit = this.#limit.layer;
    const shared = singleFlight();
    const cache = readCache({ ttlMs: cacheTtlMs, account, redis }, this.#invalidation);
    const send = compose([this.#account.record], this.#transport.send);
    // Single-flight comes before the cache, so that equal reads in flight share one Redis lookup too.
    this.#read = compose([shared, cache, retry(this.#retryBudget), failFast, limit, count], send);
    this.#readPages = compose([shared, cache], (request) => this.#joinPages(request));
    this.#readCached = compose([cache], () => Promise.reject(notCached));
    this.#write = compose(
      [invalidate(this.#invalidation), endpointLock(), reconcile, failFast, limit, count],
      send,
    );
  }

  /**
   * Reads from the cache or from PIOPIY. A cached response contains no password.
   *
   * @param cache how the cache is used: see `UpstreamRequest`
   */
  read<O extends ReadOperation>(
    operation: O,
    parameters: Parameters<O>,
    deadline: Deadline,
    cache: UpstreamRequest["cache"] = "use",
  ): Promise<UpstreamResponse<Result<O>>> {
    const { username, page }: AnyParameters = parameters;
    const subject = username === undefined ? "list" : endpointSubject(username);
    const name = username === undefined ? `list_sip ${page}` : `get_sip ${subject}`;
    const { signal } = deadline;
    const request = { operation, parameters, subject, key: this.#keyOf(subject, name), cache, deadline };
    const response = this.#read({ ...request, priority: "read", signal, waitSignal: signal });
    return response as Promise<UpstreamResponse<Result<O>>>;
  }

  /** Reads consecutive pages of the list, joined by `joinPages`, and caches them together. */
  readPages(range: PageRange, deadline: Deadline): Promise<UpstreamResponse<JoinedPages>> {
    const response = this.#readPages(this.#pagesRequest(range, deadline));
    return response as Promise<UpstreamResponse<JoinedPages>>;
  }

  /**
   * Returns one page of the list, or pages that are cached together, from the cache. Returns undefined if they are not cached. Sends
   * no upstream request.
   */
  async cachedPages(range: PageRange, deadline: Deadline): Promise<JoinedPages | undefined> {
    try {
      const { value } = await this.#readCached(this.#pagesRequest(range, deadline));
      const { rows, count } = value as SipEndpointPage;
      return joined(rows, range.last, count);
    } catch (error) {
      if (error === notCached) return undefined;
      throw error;
    }
  }

  /** Sends a write, and invalidates everything that it may have changed. */
  async write<O extends WriteOperation>(
    operation: O,
    parameters: Parameters<O>,
    deadline: OperationDeadline,
  ): Promise<Result<O>> {
    const { username } = parameters as Parameters<WriteOperation>;
    const subject = endpointSubject(username);
    const work = this.#write({
      operation,
      parameters,
      subject,
      key: subject,
      cache: "bypass",
      priority: "write",
      deadline,
      waitSignal: deadline.signal,
      signal: deadline.writeSignal,
    });
    this.#writes.add(work);
    try {
      return (await work).value as Result<O>;
    } finally {
      this.#writes.delete(work);
    }
  }

  /** Invalidates the list and these endpoints in all processes, after a change outside the gateway. */
  invalidate(usernames: readonly string[]): Promise<void> {
    return this.#invalidation.publish(["list", ...usernames.map(endpointSubject)]);
  }

  /** Derives a password from the account's secret and these parts. Equal parts result in the same password. */
  derivePassword(parts: readonly string[]): Secret {
    return derivePassword(this.#secret, parts);
  }

  /** A number that grows with each change; undefined while nothing may be cached. */
  get version(): number | undefined {
    return this.#invalidation.isCurrent ? this.#versions.changes : undefined;
  }

  /**
   * The state of PIOPIY: `refused` while it rejects the account, `down` while the circuit breaker is open, and `unknown` before
   * its first response.
   */
  get state(): "up" | "down" | "refused" | "unknown" {
    const { state } = this.#account;
    return this.#breaker.isClosed || state === "refused" ? state : "down";
  }

  get load(): UpstreamLoad {
    return {
      isBreakerOpen: !this.#breaker.isClosed,
      inFlight: this.#limit.running,
      waiting: this.#limit.waiting,
      retriesLeft: this.#retryBudget.left,
    };
  }

  /** Waits for the writes in progress and their invalidations, so that their outcome is not lost. Then closes the connections. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writes);
    this.#transport.close();
    this.#invalidation.close();
  }

  async #joinPages({ range, deadline }: UpstreamRequest): Promise<UpstreamResponse> {
    const read = async (page: number): Promise<SipEndpointPage> =>
      (await this.read("list_sip", { page }, deadline, "refresh")).value;
    return received(await joinPages(read, range as PageRange));
  }

  #pagesRequest(range: PageRange, deadline: Deadline): UpstreamRequest {
    const { first, last } = range;
    const { signal } = deadline;
    return {
      operation: "list_sip",
      parameters: { page: first },
      range,
      subject: "list",
      key: this.#keyOf("list", `list_sip ${first === last ? first : `${first}-${last}`}`),
      cache: "use",
      priority: "read",
      deadline,
      signal,
      waitSignal: signal,
    };
  }

  #keyOf(subject: UpstreamRequest["subject"], name: string): string {
    const key = `${name}@${this.#versions.of(subject)}`;
    // While this process cannot receive invalidations, it does not learn of changes in other processes. So the key contains the time,
    // and an upstream request is shared only briefly.
    return this.#invalidation.isCurrent
      ? key
      : `${key} ${Math.floor(performance.now() / UNCACHED_SHARING_MS)}`;
  }
}

function createInvalidation(
  { redis, peers = "none" }: PiopiyClientOptions,
  account: string,
  versions: Versions,
): Invalidation {
  if (redis) return new RedisInvalidation(redis, account, versions);
  return peers === "workers"
    ? new WorkerInvalidation(versions)
    : new LocalInvalidation(versions, peers === "none");
}
