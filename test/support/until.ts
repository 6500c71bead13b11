import { setTimeout } from "node:timers/promises";

/** Shorter than the test timeout, so that the error shows the line of the condition. Long enough for a busy machine. */
const MAX_SECONDS = 240;

/** Polls a condition until it is true. Throws after four minutes. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 1000 * MAX_SECONDS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`The condition was not met in ${MAX_SECONDS} seconds.`);
    await setTimeout(5);
  }
}
