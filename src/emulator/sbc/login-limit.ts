const WINDOW_MS = 60_000;
const MAX_FAILURES = 30;
/** Addresses that are remembered. */
const MAX_ADDRESSES = 10_000;

/** Limits failed authentications to 30 a minute and IP address. */
export class LoginLimit {
  readonly #windows = new Map<string, { readonly startedAt: number; failures: number }>();

  /** Counts a failed authentication. */
  failed(address: string): void {
    const window = this.#windowOf(address);
    if (window) {
      window.failures++;
      return;
    }
    // The first entry is the oldest.
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined && this.#windows.size >= MAX_ADDRESSES) this.#windows.delete(oldest);
    this.#windows.set(address, { startedAt: performance.now(), failures: 1 });
  }

  /** Returns the seconds for which an address may not authenticate, or undefined. */
  secondsLeft(address: string): number | undefined {
    const window = this.#windowOf(address);
    if (!window || window.failures < MAX_FAILURES) return undefined;
    return Math.ceil((window.startedAt + WINDOW_MS - performance.now()) / 1000);
  }

  #windowOf(address: string) {
    const window = this.#windows.get(address);
    if (!window || performance.now() - window.startedAt < WINDOW_MS) return window;
    this.#windows.delete(address);
    return undefined;
  }
}
