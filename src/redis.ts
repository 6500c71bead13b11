import { createClient } from "@redis/client";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";

const CONNECT_TIMEOUT_MS = 2000;
const ANSWER_TIMEOUT_MS = 250;
const MAX_RECONNECT_DELAY_MS = 2000;

type Client = ReturnType<typeof createRedis>;

/** Who listens to a channel. */
export interface Listener {
  onMessage(message: string): void;
  /** What is said on the channel is heard from now on. */
  onListening(): void;
  /** What is said is no longer heard. */
  onLost(): void;
}

/**
 * The store that several copies of the gateway share. It costs speed at most: without a connection, or while an answer
 * is overdue, commands fail at once, so that whoever uses them does without.
 */
export class Redis {
  readonly #client: Client;
  #isOverdue = false;

  /** Connects now, and whenever the connection is lost. */
  constructor(url: string, log: FastifyBaseLogger) {
    this.#client = createRedis(url);
    let away = false;
    this.#client.on("error", (error: Error) => {
      // It tries on for as long as it takes; the log needs that once.
      if (!away)
        log.error(
          { reason: reasonOf(error) },
          "Redis is not reached: limits hold for this process alone, and nothing is cached",
        );
      away = true;
    });
    this.#client.on("ready", () => {
      if (away) log.warn("Redis is reached again");
      away = false;
    });
    void this.#client.connect().catch(() => {});
  }

  get isReady(): boolean {
    return this.#client.isReady && !this.#isOverdue;
  }

  /** Runs a script of Redis. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown> {
    return this.#inTime(() => this.#client.eval(script, options));
  }

  /** Null when there is nothing under the key. */
  get(key: string): Promise<string | null> {
    return this.#inTime(() => this.#client.get(key));
  }

  /** Keeps a text for so many milliseconds. */
  async set(key: string, value: string, ms: number): Promise<void> {
    await this.#inTime(() => this.#client.set(key, value, { expiration: { type: "PX", value: ms } }));
  }

  /** Asks for a sign of life. */
  async ping(): Promise<void> {
    await this.#inTime(() => this.#client.ping());
  }

  /** Listens to a channel, over the same connection as all commands. */
  subscribe(channel: string, { onMessage, onListening, onLost }: Listener): void {
    const listen = () => this.#client.subscribe(channel, onMessage).then(onListening, () => {});
    this.#client.on("ready", listen);
    this.#client.on("reconnecting", onLost);
    if (this.#client.isReady) void listen();
  }

  /** Fails when there is no answer in a quarter of a second. */
  async #inTime<T>(command: () => Promise<T>): Promise<T> {
    const answer = command();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isOverdue = true;
        reject(new Error("Redis does not answer in time."));
      }, ANSWER_TIMEOUT_MS);
      answer.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.#isOverdue = false;
      });
    });
  }

  close(): void {
    this.#client.destroy();
  }
}

function createRedis(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, MAX_RECONNECT_DELAY_MS),
    },
  });
}
