import { setTimeout } from "node:timers/promises";
import type { Bodies } from "./bodies.js";
import type { Connections } from "./connections.js";
import type { HttpConnection } from "./http-connection.js";
import type { Job, LoadResult } from "./job.js";
import { Tally } from "./response-stats.js";

const GRACE_MS = 5000;

/**
 * How long answers take at a constant rate. A request waits for no answer: when all connections are busy, one more is
 * opened. Time counts from the moment of sending, so that a late timer of the load does not count.
 */
export async function openLoop(
  { perSecond, ms }: Job & { kind: "open" },
  bodies: Bodies,
  connections: Connections,
): Promise<LoadResult> {
  const tally = new Tally();
  const idle: HttpConnection[] = await connections.openMany(Math.ceil(perSecond / 4));
  const total = Math.round((perSecond * ms) / 1000);
  const ask = (connection: HttpConnection) => {
    const begun = performance.now();
    const { body, holds } = bodies.next();
    connection.post(body, (answer) => {
      tally.add(answer, begun, holds);
      idle.push(connection);
    });
  };
  const begun = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
    for (; sent < due; sent++) {
      // In turn, since a server closes a connection that nobody uses.
      const connection = idle.shift();
      if (connection) ask(connection);
      else void connections.open().then(ask);
    }
    await setTimeout(Math.max(1, (sent / perSecond) * 1000 - (performance.now() - begun)));
  }
  const deadline = performance.now() + GRACE_MS;
  while (tally.answers < total && performance.now() < deadline) await setTimeout(5);
  if (tally.answers < total) throw new Error(`${total - tally.answers} of ${total} requests had no answer`);
  return tally.result(performance.now() - begun);
}
