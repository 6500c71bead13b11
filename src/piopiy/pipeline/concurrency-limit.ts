import { setImmediate } from "node:timers/promises";
import type { ReadBudget } from "../budget.js";
import { NotAsked } from "../not-asked.js";
import type { Stop } from "../stop.js";

export type Kind = "read" | "write";

/** What a client has running and waiting; forgotten when it has neither. */
interface Client {
  readonly name: string;
  readonly read: Set<Waiting>;
  readonly write: Set<Waiting>;
  running: number;
  /** When it was last given a slot from the queue, as a number that grows; 0 is never. */
  lastTurn: number;
}

/** A request in the queue. It is in the queue of each client that waits for it. */
interface Waiting {
  readonly kind: Kind;
  readonly clients: Set<Client>;
  begin(client: Client): void;
  reject(error: NotAsked): void;
}

/**
 * Limits how many upstream requests are in flight. The others wait in a fair queue: clients take turns, and writes go
 * before reads.
 */
export class ConcurrencyLimit {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #clients = new Map<string, Client>();
  readonly #waiting = { read: 0, write: 0 };
  #running = 0;
  #turn = 0;

  /** @param maxWaiting how many requests of either kind may wait; beyond that, the newest of the longest queue is rejected */
  constructor(concurrency: number, maxWaiting: number) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `request` when a slot is free. Once `stop` comes, a request that still waits is rejected with `UPSTREAM_TIMEOUT`;
   * one that has begun keeps its slot until it ends.
   */
  async run<T>(kind: Kind, budget: ReadBudget, stop: Stop, request: () => Promise<T>): Promise<T> {
    if (stop.isNow) throw tooLate();
    const client =
      this.#running < this.#concurrency ? await this.#begin(budget) : await this.#wait(kind, budget, stop);
    try {
      return await request();
    } finally {
      this.#running--;
      client.running--;
      this.#forgetIdle(client);
      this.#beginNext();
    }
  }

  /** Begins the requests of a burst one by one, so that each is on its way before the next one costs time. */
  async #begin({ clients: [name = ""] }: ReadBudget): Promise<Client> {
    const client = this.#client(name);
    this.#running++;
    client.running++;
    await setImmediate();
    return client;
  }

  #wait(kind: Kind, budget: ReadBudget, stop: Stop): Promise<Client> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        forgetStop();
        forgetJoin();
        for (const client of waiting.clients) this.#dequeue(client, waiting);
      };
      const waiting: Waiting = {
        kind,
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
      const forgetStop = stop.listen(() => waiting.reject(tooLate()));
      const forgetJoin = budget.onJoin((name) => {
        this.#enqueue(this.#client(name), waiting);
        this.#rejectTooMany(kind);
      });
      for (const name of budget.clients) this.#enqueue(this.#client(name), waiting);
      this.#rejectTooMany(kind);
    });
  }

  #enqueue(client: Client, waiting: Waiting): void {
    if (waiting.clients.has(client)) return;
    waiting.clients.add(client);
    client[waiting.kind].add(waiting);
    this.#waiting[waiting.kind]++;
  }

  #dequeue(client: Client, waiting: Waiting): void {
    waiting.clients.delete(client);
    client[waiting.kind].delete(waiting);
    this.#waiting[waiting.kind]--;
    this.#forgetIdle(client);
  }

  /** Takes the newest request out of the longest queue, so that no client can keep another one out. */
  #rejectTooMany(kind: Kind): void {
    if (this.#waiting[kind] <= this.#maxWaiting) return;
    const longest = [...this.#clients.values()].reduce((long, client) =>
      client[kind].size >= long[kind].size ? client : long,
    );
    const newest = [...longest[kind]].at(-1);
    if (!newest) return;
    this.#dequeue(longest, newest);
    if (newest.clients.size === 0) newest.reject(tooMany());
  }

  /**
   * Gives a free slot to the client that has waited longest for its turn. A write goes before reads, but the second write of
   * a client does not go before the first read of another one: a flood of writes would keep all reads out.
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

  /** The client whose turn it is, of those with a waiting request of this kind. */
  #next(kind: Kind): Client | undefined {
    let next: Client | undefined;
    for (const client of this.#clients.values()) {
      if (client[kind].size > 0 && client.lastTurn < (next?.lastTurn ?? Number.POSITIVE_INFINITY))
        next = client;
    }
    return next;
  }

  #client(name: string): Client {
    const known = this.#clients.get(name);
    if (known) return known;
    const client: Client = { name, read: new Set(), write: new Set(), running: 0, lastTurn: 0 };
    this.#clients.set(name, client);
    return client;
  }

  #forgetIdle(client: Client): void {
    if (client.running + client.read.size + client.write.size === 0) this.#clients.delete(client.name);
  }
}

/** There is no time left to ask. */
export function tooLate(): NotAsked {
  return new NotAsked(
    "UPSTREAM_TIMEOUT",
    "The time of this operation was spent before PIOPIY could be asked (PIOPIY_DEADLINE_MS). Try again later.",
  );
}

function tooMany(): NotAsked {
  return new NotAsked(
    "UPSTREAM_UNAVAILABLE",
    "Too many calls to PIOPIY wait already (PIOPIY_MAX_CONCURRENCY). Try again later.",
  );
}
