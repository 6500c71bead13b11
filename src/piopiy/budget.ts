/**
 * What one GraphQL operation may spend upstream: one span of time for all its calls together, and the
 * patience of its caller. Reads end when either is gone; a write under way ends with the time only, since a
 * caller who has left would never learn what became of it.
 */
export class Budget {
  readonly #expiresAt: number;
  readonly #time = new AbortController();
  readonly #patience = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.#expiresAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#time.abort();
      this.#patience.abort();
    }, milliseconds).unref();
  }

  /** Aborts when a read is no longer worth its while. */
  get forReads(): AbortSignal {
    return this.#patience.signal;
  }

  /** Aborts when the time is spent. */
  get forWrites(): AbortSignal {
    return this.#time.signal;
  }

  /** Milliseconds left; zero when there are none. */
  get timeLeft(): number {
    return Math.max(0, this.#expiresAt - performance.now());
  }

  /** The caller has hung up. */
  abandon(): void {
    this.#patience.abort();
  }

  /** The operation is answered: nothing more will be spent. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
