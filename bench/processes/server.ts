import { setTimeout } from "node:timers/promises";
import { post } from "./post.js";
import type { ProcessGroup } from "./process-group.js";

const PATIENCE_MS = 30_000;
/** Asking costs the asker time that the program could use to start. */
const PAUSE_MS = 10;

/** Asks until the first answer of status 200; throws when the program ends or stays silent. */
export async function untilAnswered(group: ProcessGroup, url: string, body: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await post(url, body);
      return;
    } catch (error) {
      if (group.hasEnded) throw new Error(`it ended: ${group.lastWords || "without a word"}`);
      if (performance.now() > deadline) throw new Error(`no answer in ${PATIENCE_MS} ms: ${error}`);
      await setTimeout(PAUSE_MS);
    }
  }
}
