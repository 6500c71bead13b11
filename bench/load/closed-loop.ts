import { setTimeout } from "node:timers/promises";
import type { Bodies } from "./bodies.js";
import type { Connections } from "./connections.js";
import type { HttpConnection } from "./http-connection.js";
import type { Job, LoadResult } from "./job.js";
import { Tally } from "./response-stats.js";

const DRAIN_MS = 20_000;

/**
 * How many answers come when each connection asks again at once. Ends when nothing is under way any longer: work that
 * is left behind would be paid for by the next contestant.
 */
export async function closedLoop(
  { connections: count, warmupMs, ms }: Job & { kind: "closed" },
  bodies: Bodies,
  connections: Connections,
): Promise<LoadResult> {
  const tally = new Tally();
  let underWay = 0;
  let isOver = false;
  const askOn = (connection: HttpConnection) => {
    const begun = performance.now();
    underWay++;
    const { body, holds } = bodies.next();
    connection.post(body, (answer) => {
      underWay--;
      tally.add(answer, begun, holds);
      if (!isOver) askOn(connection);
    });
  };
  for (const connection of await connections.openMany(count)) askOn(connection);
  await setTimeout(warmupMs);
  tally.restart();
  const begun = performance.now();
  await setTimeout(ms);
  const result = tally.result(performance.now() - begun);
  isOver = true;
  const deadline = performance.now() + DRAIN_MS;
  while (underWay > 0 && performance.now() < deadline) await setTimeout(5);
  return result;
}
