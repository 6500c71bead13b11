import { setTimeout } from "node:timers/promises";
import { Connections, type HttpConnection } from "./http-connection.js";
import type { Job, LoadResult } from "./job.js";
import { Tally } from "./response-stats.js";

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

/** Asks once and counts the answer. */
export function ask(connection: HttpConnection, { body, holds }: Question, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    const begun = performance.now();
    connection.post(body, (answer) => {
      tally.add(answer, begun, holds);
      resolve();
    });
  });
}

export interface Question {
  readonly body: string;
  /** What its answer must hold. */
  readonly holds: string;
}

/** Hands out the texts of a job in turn; `@@` in them becomes the next number. */
export class Bodies {
  readonly #parts: readonly string[][];
  readonly #holds: string;
  #number: number;
  #index = 0;

  constructor({ bodies, from, holds = "" }: Pick<Job, "bodies" | "from" | "holds">) {
    this.#parts = bodies.map((text) => text.split("@@"));
    this.#holds = holds;
    this.#number = from;
  }

  next(): Question {
    const parts = this.#parts[this.#index] ?? [];
    this.#index = (this.#index + 1) % this.#parts.length;
    if (parts.length === 1) return { body: parts[0] ?? "", holds: this.#holds };
    const number = String(this.#number++);
    return { body: parts.join(number), holds: this.#holds.replace("@@", number) };
  }
}
