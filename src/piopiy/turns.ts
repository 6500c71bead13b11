import PQueue from "p-queue";
import { GatewayError } from "../errors.js";

/** Bounds how many calls are in flight at once. The others wait their turn, writes before reads. */
export class Turns {
  readonly #queue: PQueue;

  constructor(concurrency: number) {
    this.#queue = new PQueue({ concurrency });
  }

  /**
   * Runs `call` when a place is free. Once `signal` aborts, a call that still waits is given up with
   * `UPSTREAM_TIMEOUT`; one that has begun decides for itself, and keeps its place until it ends.
   */
  async take<T>(kind: "read" | "write", signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const waiting = new AbortController();
    const giveUp = () => waiting.abort(tooLate());
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    const begin = () => {
      signal.removeEventListener("abort", giveUp);
      return call();
    };
    return this.#queue.add(begin, { priority: kind === "write" ? 1 : 0, signal: waiting.signal });
  }
}

function tooLate(): GatewayError {
  return new GatewayError(
    "UPSTREAM_TIMEOUT",
    "No call to PIOPIY was free before the time of this operation was spent (PIOPIY_DEADLINE_MS). Try again later.",
  );
}
