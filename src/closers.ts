/** Closes the resources that a start has opened, in reverse order, even when one of them fails to close. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];
  #end: Promise<void> | undefined;

  get isClosing(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Adds a function that closes a resource. If closing has begun, runs the function immediately and throws, so that the start
   * ends.
   */
  async add(close: () => unknown): Promise<void> {
    this.#closers.push(close);
    if (!this.isClosing) return;
    await this.#closeAll();
    throw new Error("The start was stopped.");
  }

  /** Closes all resources once. Throws the first error, after it has tried to close all of them. */
  close(): Promise<void> {
    this.#end ??= this.#closeAll();
    return this.#end;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
