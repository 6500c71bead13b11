import { setImmediate } from "node:timers/promises";
import { type Deadline, onAbort } from "../deadline.js";
import { tooLate, UpstreamError } from "../upstream-error.js";
import type { Layer, UpstreamRequest } from "./pipeline.js";

type Priority = UpstreamRequest["priority"];

/** The running and waiting requests of a client; deleted when there are none. */
interface ClientQueue {
  readonly name: string;
  readonly read: Set<Waiting>;
  readonly write: Set<Waiting>;
  running: number;
  /** The number of the turn in which the client last received a slot from the queue; 0 means never. */
  lastTurn: number;
}

/** A request in the queue. It is in the queue of each client that waits for it. */
interface Waiting {
  readonly priority: Priority;
  readonly clients: Set<ClientQueue>;
  begin(client: ClientQueue): void;
  reject(error: UpstreamError): void;
}

/**
 * Limits how many upstream requests are in flight. The others wait in a fair queue: clients take turns, and writes go
 * before reads.
 */
export class ConcurrencyLimit {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #onWaited: (priority: Priority, ms: number) => void;
  readonly #clients = new Map<string, ClientQueue>();
  readonly #waiting = { read: 0, write: 0 };
  #running = 0;
  #turn = 0;

  /**
   * @param maxWaiting how many reads and how many writes may wait; if there are more, the newest request of the longest queue is
   * rejected
   * @param onWaited is called with the milliseconds that a request has waited, also if it was rejected then
   */
  constructor(
    concurrency: number,
    maxWaiting: number,
    onWaited: (priority: Priority, ms: number) => void = () => {},
  ) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
    this.#onWaited = onWaited;
  }

  /** The number of requests in flight. */
  get running(): number {
    return this.#running;
  }

  /** The number of waiting requests. One for which several clients wait counts for each of them. */
  get waiting(): Readonly<Record<Priority, number>> {
    return this.#waiting;
  }

  /**
   * Sends a request when a slot is free. When its `waitSignal` aborts, a request that still waits is rejected with
   * `UPSTREAM_TIMEOUT`. A request that was sent keeps its slot until it ends.
   */
  readonly layer: Layer = (next) => async (request) => {
    if (request.waitSignal.aborted) throw tooLate();
    const client = await this.#slot(request);
    try {
      return await next(request);
    } finally {
      this.#running--;
      client.running--;
      this.#forgetIdle(client);
      this.#beginNext();
    }
  };

  async #slot(request: UpstreamRequest): Promise<ClientQueue> {
    const arrived = performance.now();
    try {
      return this.#running < this.#concurrency
        ? await this.#begin(request.deadline)
        : await this.#wait(request);
    } finally {
      this.#onWaited(request.priority, performance.now() - arrived);
    }
  }

  /** Starts the requests of a burst one by one, so that each is sent before the next one uses the CPU. */
  async #begin({ clients: [name = ""] }: Deadline): Promise<ClientQueue> {
    const client = this.#client(name);
    this.#running++;
    client.running++;
    await setImmediate();
    return client;
  }

  #wait({ priority, deadline, waitSignal }: UpstreamRequest): Promise<ClientQueue> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        stopWaiting();
        stopJoining();
        for (const client of waiting.clients) this.#dequeue(client, waiting);
      };
      const waiting: Waiting = {
        priority,
        clients: new Set(),
        begin(client) {
          leave();
          resolve(client);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const stopWaiting = onAbort(waitSignal, () => waiting.reject(tooLate()));
      const stopJoining = deadline.onJoin((name) => {
        this.#enqueue(this.#client(name), waiting);
        this.#rejectTooMany(priority);
      });
      for (const name of deadline.clients) this.#enqueue(this.#client(name), waiting);
      this.#rejectTooMany(priority);
    });
  }

  #enqueue(client: ClientQueue, waiting: Waiting): void {
    if (waiting.clients.has(client)) return;
    waiting.clients.add(client);
    client[waiting.priority].add(waiting);
    this.#waiting[waiting.priority]++;
  }

  #dequeue(client: ClientQueue, waiting: Waiting): void {
    waiting.clients.delete(client);
    client[waiting.priority].delete(waiting);
    this.#waiting[waiting.priority]--;
    this.#forgetIdle(client);
  }

  /** Removes the newest request from the longest queue, so that no client can block another one. */
  #rejectTooMany(priority: Priority): void {
    if (this.#waiting[priority] <= this.#maxWaiting) return;
    const longest = [...this.#clients.values()].reduce((long, client) =>
      client[priority].size >= long[priority].size ? client : long,
    );
    const newest = [...longest[priority]].at(-1);
    if (!newest) return;
    this.#dequeue(longest, newest);
    if (newest.clients.size === 0) newest.reject(tooMany());
  }

  /**
   * Assigns a free slot to the client that has waited longest for its turn. A write goes before reads, but the second write of
   * a client does not go before the first read of another client: otherwise many writes would block all reads.
   */
  #beginNext(): void {
    const [writer, reader] = [this.#next("write"), this.#next("read")];
    const isRead = !writer || (reader && reader.lastTurn < writer.lastTurn);
    const client = isRead ? reader : writer;
    const [waiting] = client?.[isRead ? "read" : "write"] ?? [];
    if (!client || !waiting) return;
    client.lastTurn = ++this.#turn;
    client.running++;
    this.#running++;
    waiting.begin(client);
  }

  /** Returns the client whose turn it is, among those with a waiting request of this kind. */
  #next(priority: Priority): ClientQueue | undefined {
    let next: ClientQueue | undefined;
    for (const client of this.#clients.values()) {
      if (client[priority].size > 0 && client.lastTurn < (next?.lastTurn ?? Number.POSITIVE_INFINITY))
        next = client;
    }
    return next;
  }

  #client(name: string): ClientQueue {
    const known = this.#clients.get(name);
    if (known) return known;
    const client: ClientQueue = { name, read: new Set(), write: new Set(), running: 0, lastTurn: 0 };
    this.#clients.set(name, client);
    return client;
  }

  #forgetIdle(client: ClientQueue): void {
    if (client.running + client.read.size + client.write.size === 0) this.#clients.delete(client.name);
  }
}

function tooMany(): UpstreamError {
  return new UpstreamError(
    "local",
    "UPSTREAM_UNAVAILABLE",
    "Too many requests to PIOPIY are waiting already (PIOPIY_MAX_CONCURRENCY). Try again later.",
  );
}

/** How many writes may wait for one endpoint. */
const MAX_WAITING = 50;

interface Lock {
  readonly limit: ConcurrencyLimit;
  /** How many writes hold the lock or wait for it. */
  users: number;
}

/** Sends one write at a time for each endpoint, so that the outcome of a write is known before the next write is sent. */
export function endpointLock(): Layer {
  const locks = new Map<string, Lock>();
  return (next) => async (request) => {
    const { subject } = request;
    const lock = locks.get(subject) ?? { limit: new ConcurrencyLimit(1, MAX_WAITING), users: 0 };
    locks.set(subject, lock);
    lock.users++;
    try {
      return await lock.limit.layer(next)(request);
    } finally {
      if (--lock.users === 0) locks.delete(subject);
    }
  };
}
