import { ask } from "./ask.js";
import type { Bodies } from "./bodies.js";
import type { Connections } from "./connections.js";
import type { Job, LoadResult } from "./job.js";
import { Tally } from "./response-stats.js";

/** How long it takes until the last of many requests that are sent at once is answered. */
export async function burst(
  { connections: count }: Job & { kind: "burst" },
  bodies: Bodies,
  connections: Connections,
): Promise<LoadResult> {
  const tally = new Tally();
  const all = await connections.openMany(count);
  const begun = performance.now();
  await Promise.all(all.map((connection) => ask(connection, bodies.next(), tally)));
  return tally.result(performance.now() - begun);
}
