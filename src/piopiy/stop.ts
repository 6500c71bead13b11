import { setMaxListeners } from "node:events";

/**
 * An AbortController that costs nothing until somebody looks at its signal, which most operations need for reads alone
 * or not at all.
 */
export class Stop {
  #controller: AbortController | undefined;
  #isNow = false;

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      // One listener for each call under way is no leak, however many there are.
      setMaxListeners(0, this.#controller.signal);
      if (this.#isNow) this.now();
    }
    return this.#controller.signal;
  }

  now(): void {
    this.#isNow = true;
    // Without a reason Node.js would make one, with a stack.
    this.#controller?.abort("over");
  }
}
