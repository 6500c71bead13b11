/**
 * Says when waiting or working is no longer worth its while. It does what an AbortSignal does at a small part of its cost,
 * which counts, since every call upstream is under three of them.
 */
export class Stop {
  readonly #listeners = new Set<() => void>();
  #isNow = false;
  #isDeadline = false;

  get isNow(): boolean {
    return this.#isNow;
  }

  /** Whether it came because the time is spent. */
  get isDeadline(): boolean {
    return this.#isDeadline;
  }

  now(isDeadline = false): void {
    this.#isDeadline ||= isDeadline && !this.#isNow;
    this.#isNow = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }

  /** Calls the listener when it is time, at once if it is, and hands over what takes that back. */
  listen(listener: () => void): () => void {
    if (this.#isNow) listener();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits so many milliseconds; false when it is time before they are over. */
  sleep(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        forget();
        resolve(true);
      }, milliseconds);
      const forget = this.listen(() => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
}
