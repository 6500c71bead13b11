import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Direction, Toxic } from "./toxics.js";

/** Receives the events of a link. */
export interface LinkEvents {
  /** A request begins. Returns the toxic for the exchange, and the milliseconds of its delay. */
  begin(): { readonly toxic: Toxic | undefined; readonly delayMs: number };
  replied(): void;
  passed(direction: Direction, bytes: number): void;
}

/** The number of time slices in a second, among which a limited bandwidth is divided. */
const SLICES = 50;

/** Connects two sockets, and applies its toxic to each exchange. When one socket closes, the other is closed too. */
export class TcpLink {
  readonly #ends: Readonly<Record<Direction, Socket>>;
  readonly #events: LinkEvents;
  readonly #gone = new AbortController();
  /** The data that is still to be forwarded, in its order. */
  readonly #lines = { request: Promise.resolve(), reply: Promise.resolve() };
  readonly #bytes = { request: 0, reply: 0 };
  #turn: Direction = "reply";
  #exchange: ReturnType<LinkEvents["begin"]> = { toxic: undefined, delayMs: 0 };

  /** @param client the side that sends requests; when it closes, delayed data is not forwarded any more */
  constructor(client: Socket, upstream: Socket, events: LinkEvents) {
    this.#ends = { request: upstream, reply: client };
    this.#events = events;
    const end = () => this.close();
    client.on("data", (chunk) => this.#request(chunk));
    client.on("end", end).on("error", end).on("close", end);
    upstream.on("data", (chunk) => this.#reply(chunk));
    upstream.on("end", () =>
      this.#later("reply", () => {
        client.end();
      }),
    );
    upstream.on("error", () => this.#later("reply", () => this.#reset()));
  }

  close(): void {
    this.#gone.abort();
    for (const socket of Object.values(this.#ends)) socket.destroy();
  }

  #request(chunk: Buffer): void {
    if (this.#turn === "reply") {
      this.#turn = "request";
      this.#exchange = this.#events.begin();
      Object.assign(this.#bytes, { request: 0, reply: 0 });
    }
    this.#later("request", () => this.#pass("request", chunk));
  }

  #reply(chunk: Buffer): void {
    if (this.#turn === "request") this.#events.replied();
    this.#turn = "reply";
    // Backpressure: while the client does not read, nothing is read from the upstream.
    this.#ends.request.pause();
    this.#later("reply", async () => {
      await this.#pass("reply", chunk);
      this.#ends.request.resume();
    });
  }

  #later(direction: Direction, work: () => void | Promise<void>): void {
    this.#lines[direction] = this.#lines[direction].then(async () => {
      if (!this.#gone.signal.aborted) await work();
    }, ignore);
    this.#lines[direction].catch(ignore);
  }

  async #pass(on: Direction, chunk: Buffer): Promise<void> {
    const { toxic, delayMs } = this.#exchange;
    const isFirst = this.#bytes[on] === 0;
    this.#bytes[on] += chunk.length;
    if (toxic?.kind === "black-hole") return;
    if (toxic?.kind === "slow-close") {
      if (on === "request") return this.#write(on, chunk);
      await this.#wait(toxic.ms);
      this.#ends.reply.end();
      return;
    }
    if (toxic?.on !== on) return this.#write(on, chunk);
    if (toxic.kind === "reset") return this.#reset();
    if (toxic.kind === "latency" && isFirst) await this.#wait(delayMs);
    if (toxic.kind === "bandwidth") return this.#trickle(on, chunk, toxic.bytesPerSecond);
    if (toxic.kind !== "cut" || this.#bytes[on] < toxic.bytes) return this.#write(on, chunk);
    await this.#write(on, chunk.subarray(0, chunk.length - (this.#bytes[on] - toxic.bytes)));
    this.#ends[on].end();
    if (on === "request") this.close();
  }

  async #trickle(on: Direction, chunk: Buffer, bytesPerSecond: number): Promise<void> {
    const size = Math.max(1, Math.floor(bytesPerSecond / SLICES));
    for (let at = 0; at < chunk.length; at += size) {
      await this.#wait(1000 / SLICES);
      await this.#write(on, chunk.subarray(at, at + size));
    }
  }

  async #write(on: Direction, chunk: Buffer): Promise<void> {
    this.#events.passed(on, chunk.length);
    const { signal } = this.#gone;
    if (!this.#ends[on].write(chunk)) await once(this.#ends[on], "drain", { signal });
  }

  /** Rejects when the link closes meanwhile. */
  #wait(ms: number): Promise<unknown> {
    return sleep(ms, undefined, { signal: this.#gone.signal });
  }

  #reset(): void {
    this.#ends.reply.resetAndDestroy();
    this.close();
  }
}

function ignore(): void {}
