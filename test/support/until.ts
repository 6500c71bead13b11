import { setTimeout } from "node:timers/promises";

/** Shorter than the test timeout, so that the error shows the line of the condition. Long enough for a busy machine. */
const MAX_SECONDS = 240;

/** Polls a condition until it is true. Throws after four minutes. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await isTrue())) {
    const waitedMs = performance.now() - start;
    if (waitedMs > 1000 * MAX_SECONDS) {
      throw new Error(`The condition was not met in ${MAX_SECONDS} seconds.`);
    }
    // A long wait needs no exact end. Many conditions send requests.
    await setTimeout(Math.min(5 + waitedMs / 10, 50));
  }
}
