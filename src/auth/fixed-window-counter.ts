import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";

const MAX_KEYS = 50_000;
/** Shorter than the 43 characters of a hash, so that no key looks like the hash of another one. */
const MAX_KEY_LENGTH = 40;

/** A key's count in its window. */
export interface Count {
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly msLeft: number;
}

interface Window {
  readonly count: number;
  /** Milliseconds of the monotonic clock. */
  readonly endsAt: number;
}

/**
 * Counts by key in windows of a fixed length. The window of a key begins with its first count. Stores the most recently used
 * keys.
 */
export class FixedWindowCounter {
  readonly #windowMs: number;
  readonly #windows = new LRUCache<string, Window>({ max: MAX_KEYS });

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get(key: string): Count {
    return toCount(this.#window(key));
  }

  /** Adds units unless the count would exceed the maximum. Returns the count including the units, even if they were not added. */
  add(key: string, units = 1, maximum = Number.POSITIVE_INFINITY): Count {
    const window = this.#window(key);
    const next = { ...window, count: window.count + units };
    if (next.count <= maximum) this.#windows.set(boundedKey(key), next);
    return toCount(next);
  }

  delete(key: string): void {
    this.#windows.delete(boundedKey(key));
  }

  #window(key: string): Window {
    const now = performance.now();
    const known = this.#windows.get(boundedKey(key));
    return known && known.endsAt > now ? known : { count: 0, endsAt: now + this.#windowMs };
  }
}

function toCount({ count, endsAt }: Window): Count {
  return { count, msLeft: Math.ceil(endsAt - performance.now()) };
}

/** Returns the key if it is short, else its hash: clients choose names of any length. */
export function boundedKey(key: string): string {
  return key.length > MAX_KEY_LENGTH ? hash("sha256", key, "base64url") : key;
}
