import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { GatewayError } from "../../errors.js";
import type { Redis } from "../../redis.js";
import type { ReadBudget } from "../budget.js";
import { Flights } from "../pipeline/single-flight.js";
import type { Changes } from "./invalidation.js";
import { SharedReadings } from "./shared-readings.js";
import type { Subject, Versions } from "./versions.js";

/** Together they bound what memory retains: 10,000 entries of at most 8 KiB of text each. */
const MAX_ENTRIES = 10_000;
/** As JSON. Ten rows with names of 256 bytes have 2,800 characters. What is longer is read each time. */
const MAX_ENTRY_LENGTH = 4096;
/** How long, after its time, an entry may stand in for a PIOPIY that is out of order. */
const STALE_MS = 3_600_000;
/** How old an upstream request may be that is joined while changes are not heard of: less than any trust in a heartbeat. */
const UNCACHED_SHARING_MS = 250;

interface Entry<T> {
  readonly value: T;
  /** When PIOPIY told it, by the monotonic clock of this process. */
  readonly readAt: number;
}

/** What was read. */
export interface Reading<T> extends Entry<T> {
  /** It was told to somebody before. */
  readonly isKept: boolean;
  /** It is older than it should be, because PIOPIY is out of order. */
  readonly isStale: boolean;
}

/** One read. What it brings is kept without its secrets. */
export interface ReadRequest<Full extends Kept, Kept> {
  readonly subject: Subject;
  /** Tells it from other reads of the same subject. */
  readonly key: string;
  ask(budget: ReadBudget): Promise<Full>;
  withoutSecrets(value: Full): Kept;
}

export interface ReadCacheOptions {
  /** Milliseconds for which a reading may be served; 0 keeps nothing. */
  readonly ttlMs: number;
  /** Names the account at PIOPIY; entries of others are never met. */
  readonly account: string;
  readonly redis?: Redis | undefined;
}

/**
 * Makes sure that PIOPIY is not asked twice: callers at the same time share one call, and callers within the time to live
 * share its answer, in this process and, by Redis, in others. What was read before a change is never served after it.
 */
export class ReadCache {
  readonly #flights = new Flights();
  readonly #versions: Versions;
  readonly #changes: Changes;
  readonly #ttlMs: number;
  readonly #entries: ReturnType<typeof createEntries>;
  readonly #shared: SharedReadings | undefined;

  constructor(options: ReadCacheOptions, versions: Versions, changes: Changes) {
    this.#versions = versions;
    this.#changes = changes;
    this.#ttlMs = options.ttlMs;
    this.#entries = createEntries(options.ttlMs);
    if (options.redis) this.#shared = new SharedReadings(options.redis, options.account, options.ttlMs);
  }

  /**
   * Reads from the cache or from PIOPIY: with the secrets if this is PIOPIY's own answer, else without. While PIOPIY is
   * out of order, an older reading stands in.
   */
  async read<Full extends Kept, Kept>(
    request: ReadRequest<Full, Kept>,
    budget: ReadBudget,
  ): Promise<Reading<Kept>> {
    const key = this.#versioned(request);
    if (this.#ttlMs === 0 || !this.#changes.isCurrent) {
      return this.#flights.join(key, budget, (common) => read(request, common));
    }
    try {
      return await this.#flights.join(key, budget, (common) => this.#readThrough(key, request, common));
    } catch (error) {
      const entry = isOutOfOrder(error) && (await this.#find<Kept>(key));
      if (!entry || !isWithin(entry.readAt, this.#ttlMs + STALE_MS)) throw error;
      return { ...entry, isKept: true, isStale: true };
    }
  }

  /** Reads from PIOPIY, with the secrets, shares no request that began before, and keeps what comes. */
  async refresh<Full extends Kept, Kept>(
    request: ReadRequest<Full, Kept>,
    budget: ReadBudget,
  ): Promise<Full> {
    const isKept = this.#ttlMs > 0 && this.#changes.isCurrent;
    const key = this.#versioned(request);
    return (await (isKept ? this.#readAndKeep(key, request, budget) : read(request, budget))).value;
  }

  /** Reads from PIOPIY, with the secrets. */
  async readAnew<Full extends Kept, Kept>(
    request: ReadRequest<Full, Kept>,
    budget: ReadBudget,
  ): Promise<Full> {
    const key = `anew ${this.#versioned(request)}`;
    return (await this.#flights.join(key, budget, (common) => read(request, common))).value;
  }

  #versioned({ key, subject }: { readonly key: string; readonly subject: Subject }): string {
    const version = `${key}@${this.#versions.of(subject)}`;
    // A change that is not heard of leaves the version as it is.
    return this.#changes.isCurrent
      ? version
      : `${version} ${Math.floor(performance.now() / UNCACHED_SHARING_MS)}`;
  }

  async #readThrough<Full extends Kept, Kept>(
    key: string,
    request: ReadRequest<Full, Kept>,
    budget: ReadBudget,
  ): Promise<Reading<Kept>> {
    const kept = await this.#find<Kept>(key);
    if (kept && isWithin(kept.readAt, this.#ttlMs)) return { ...kept, isKept: true, isStale: false };
    return this.#readAndKeep(key, request, budget);
  }

  async #readAndKeep<Full extends Kept, Kept>(
    key: string,
    request: ReadRequest<Full, Kept>,
    budget: ReadBudget,
  ): Promise<Reading<Full>> {
    const reading = await read(request, budget);
    const value = request.withoutSecrets(reading.value);
    if (JSON.stringify(value).length <= MAX_ENTRY_LENGTH) {
      await this.#keep(key, { value, readAt: reading.readAt });
      await this.#shared?.keep(key, { value, ageMs: performance.now() - reading.readAt });
    }
    return reading;
  }

  /** Also what is too old to be served while PIOPIY answers. A cache that fails costs speed only. */
  async #find<Kept>(key: string): Promise<Entry<Kept> | undefined> {
    const own = await this.#entries.get<Entry<Kept> | undefined>({ key }).catch(() => undefined);
    if (!this.#shared || (own && isWithin(own.readAt, this.#ttlMs))) return own;
    const shared = await this.#shared.find(key);
    if (!shared) return own;
    const entry = { value: shared.value as Kept, readAt: performance.now() - shared.ageMs };
    await this.#keep(key, entry);
    return entry;
  }

  async #keep(key: string, value: Entry<unknown>): Promise<void> {
    await this.#entries.set({ key, value }).catch(() => false);
  }
}

/** Whether a reading is not older than so many milliseconds. */
export function isWithin(readAt: number, ms: number): boolean {
  return performance.now() - readAt < ms;
}

async function read<Full extends Kept, Kept>(
  request: ReadRequest<Full, Kept>,
  budget: ReadBudget,
): Promise<Reading<Full>> {
  const value = await request.ask(budget);
  return { value, readAt: performance.now(), isKept: false, isStale: false };
}

function createEntries(ttlMs: number) {
  const memory = memoryDriver({ maxItems: MAX_ENTRIES, serialize: false });
  const times = { ttl: ttlMs, grace: ttlMs + STALE_MS };
  const store = bentostore(times).useL1Layer(memory);
  return new BentoCache({ default: "reads", stores: { reads: store } });
}

function isOutOfOrder(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.code === "UPSTREAM_UNAVAILABLE" || error.code === "UPSTREAM_TIMEOUT")
  );
}
