import { setTimeout } from "node:timers/promises";
import { Connections, type HttpConnection } from "./http-connection.js";
import type { Job, LoadResult } from "./job.js";
import { ResponseStats } from "./response-stats.js";

/** Time that pending requests have to end. */
const DRAIN_MS = 20_000;
/** Time that the last responses of a constant rate have to arrive. */
const GRACE_MS = 5000;

/** Runs a job. Throws when a connection fails. */
export async function runJob(job: Job): Promise<LoadResult> {
  const connections = new Connections(job.url);
  try {
    return await Promise.race([runPattern(job, new RequestBodies(job), connections), connections.broken]);
  } finally {
    connections.close();
  }
}

function runPattern(job: Job, bodies: RequestBodies, connections: Connections): Promise<LoadResult> {
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

/**
 * Measures throughput: each connection sends its next request when it has received a response. Ends when no request is pending,
 * because pending work would slow the next contestant down.
 */
async function closedLoop(
  { connections: count, warmupMs, ms }: Job & { kind: "closed" },
  bodies: RequestBodies,
  connections: Connections,
): Promise<LoadResult> {
  const stats = new ResponseStats();
  let pending = 0;
  let isOver = false;
  const sendNext = (connection: HttpConnection) => {
    const begun = performance.now();
    pending++;
    const { body, mustContain } = bodies.next();
    connection.post(body, (response) => {
      pending--;
      stats.add(response, begun, mustContain);
      if (!isOver) sendNext(connection);
    });
  };
  for (const connection of await connections.openMany(count)) sendNext(connection);
  await setTimeout(warmupMs);
  stats.endWarmup();
  const begun = performance.now();
  await setTimeout(ms);
  const result = stats.result(performance.now() - begun);
  isOver = true;
  const deadline = performance.now() + DRAIN_MS;
  while (pending > 0 && performance.now() < deadline) await setTimeout(5);
  return result;
}

/**
 * Measures latency at a constant rate. A request does not wait for a response: when all connections are busy, one more is
 * opened. A latency starts when the request is sent, so that a late timer of the load is not included.
 */
async function openLoop(
  { perSecond, ms }: Job & { kind: "open" },
  bodies: RequestBodies,
  connections: Connections,
): Promise<LoadResult> {
  const stats = new ResponseStats();
  const idle: HttpConnection[] = await connections.openMany(Math.ceil(perSecond / 4));
  const total = Math.round((perSecond * ms) / 1000);
  const send = (connection: HttpConnection) => {
    const begun = performance.now();
    const { body, mustContain } = bodies.next();
    connection.post(body, (response) => {
      stats.add(response, begun, mustContain);
      idle.push(connection);
    });
  };
  const begun = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
    for (; sent < due; sent++) {
      // Connections are used in turn, because a server closes idle ones.
      const connection = idle.shift();
      if (connection) send(connection);
      else void connections.open().then(send);
    }
    await setTimeout(Math.max(1, (sent / perSecond) * 1000 - (performance.now() - begun)));
  }
  const deadline = performance.now() + GRACE_MS;
  while (stats.responses < total && performance.now() < deadline) await setTimeout(5);
  if (stats.responses < total)
    throw new Error(`${total - stats.responses} of ${total} requests had no response`);
  return stats.result(performance.now() - begun);
}

/** Sends many requests together, and measures the time until the last response. */
async function burst(
  { connections: count }: Job & { kind: "burst" },
  bodies: RequestBodies,
  connections: Connections,
): Promise<LoadResult> {
  const stats = new ResponseStats();
  const all = await connections.openMany(count);
  const begun = performance.now();
  await Promise.all(all.map((connection) => send(connection, bodies.next(), stats)));
  return stats.result(performance.now() - begun);
}

/** Sends one request after another. */
async function sequence(
  { bodies: texts }: Job & { kind: "sequence" },
  bodies: RequestBodies,
  connections: Connections,
): Promise<LoadResult> {
  const stats = new ResponseStats();
  const connection = await connections.open();
  const begun = performance.now();
  for (const _ of texts) await send(connection, bodies.next(), stats);
  return stats.result(performance.now() - begun);
}

/** Sends a request. Resolves when its response is counted. */
function send(
  connection: HttpConnection,
  { body, mustContain }: NextRequest,
  stats: ResponseStats,
): Promise<void> {
  return new Promise((resolve) => {
    const begun = performance.now();
    connection.post(body, (response) => {
      stats.add(response, begun, mustContain);
      resolve();
    });
  });
}

interface NextRequest {
  readonly body: string;
  /** Text that its response must contain. */
  readonly mustContain: string;
}

/** Returns the bodies of a job in turn, with `@@` replaced by the next number. */
class RequestBodies {
  readonly #parts: readonly string[][];
  readonly #mustContain: string;
  #number: number;
  #index = 0;

  constructor({ bodies, from, mustContain = "" }: Pick<Job, "bodies" | "from" | "mustContain">) {
    this.#parts = bodies.map((text) => text.split("@@"));
    this.#mustContain = mustContain;
    this.#number = from;
  }

  next(): NextRequest {
    const parts = this.#parts[this.#index] ?? [];
    this.#index = (this.#index + 1) % this.#parts.length;
    if (parts.length === 1) return { body: parts[0] ?? "", mustContain: this.#mustContain };
    const number = String(this.#number++);
    return { body: parts.join(number), mustContain: this.#mustContain.replace("@@", number) };
  }
}
