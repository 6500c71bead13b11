import { Bodies } from "./bodies.js";
import { burst } from "./burst.js";
import { closedLoop } from "./closed-loop.js";
import { Connections } from "./connections.js";
import type { Job, LoadResult } from "./job.js";
import { openLoop } from "./open-loop.js";
import { sequence } from "./sequence.js";

/** Makes the load of a job; a connection that breaks ends it with an error. */
export async function perform(job: Job): Promise<LoadResult> {
  const connections = new Connections(job.url);
  try {
    return await Promise.race([start(job, new Bodies(job), connections), connections.broken]);
  } finally {
    connections.close();
  }
}

function start(job: Job, bodies: Bodies, connections: Connections): Promise<LoadResult> {
  switch (job.kind) {
    case "closed":
      return closedLoop(job, bodies, connections);
    case "open":
      return openLoop(job, bodies, connections);
    case "burst":
      return burst(job, bodies, connections);
    case "sequence":
      return sequence(job, bodies, connections);
  }
}
