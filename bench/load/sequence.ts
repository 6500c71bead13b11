import { ask } from "./ask.js";
import type { Bodies } from "./bodies.js";
import type { Connections } from "./connections.js";
import type { Job, LoadResult } from "./job.js";
import { Tally } from "./response-stats.js";

/** How long each body takes when nothing else goes on. */
export async function sequence(
  { bodies: texts }: Job & { kind: "sequence" },
  bodies: Bodies,
  connections: Connections,
): Promise<LoadResult> {
  const tally = new Tally();
  const connection = await connections.open();
  const begun = performance.now();
  for (const _ of texts) await ask(connection, bodies.next(), tally);
  return tally.result(performance.now() - begun);
}
