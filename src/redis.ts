import { createClient, ErrorReply } from "@redis/client";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import type { Secret } from "./secret.js";

const CONNECT_TIMEOUT_MS = 2000;
const ANSWER_TIMEOUT_MS = 250;
const MAX_RECONNECT_DELAY_MS = 2000;

type Client = ReturnType<typeof createRedis>;

/** Called as the connection comes and goes. */
export interface ConnectionListener {
  /** Commands can be sent; nothing is subscribed to yet. */
  onReady(): void;
  /** What is published may be missed. */
  onLost(): void;
}

class OverdueError extends Error {
  override readonly name = "OverdueError";
}

/**
 * The code of a refused command: the first word of Redis's reply, such as READONLY or OOM, or TIMEOUT when there was no
 * reply in time. Undefined when the connection is at fault.
 */
export function refusalCode(error: unknown): string | undefined {
  if (error instanceof OverdueError) return "TIMEOUT";
  return error instanceof ErrorReply ? (/^[A-Z]+\b/.exec(error.message)?.[0] ?? "ERR") : undefined;
}

/**
 * The store that several copies of the gateway share. It costs speed at most: without a connection, or while an answer
 * is overdue, commands fail at once, so that whoever uses them does without.
 */
export class Redis {
  readonly #client: Client;
  #isOverdue = false;

  /** Connects now, and whenever the connection is lost. */
  constructor(url: Secret, log: FastifyBaseLogger) {
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

  /** Listens to a channel over the same connection as all commands; again only if that was not done before. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<void> {
    return this.#inTime(() => this.#client.subscribe(channel, onMessage));
  }

  watch({ onReady, onLost }: ConnectionListener): void {
    this.#client.on("ready", onReady);
    this.#client.on("reconnecting", onLost);
    if (this.#client.isReady) onReady();
  }

  /** Fails when there is no answer in a quarter of a second. */
  async #inTime<T>(command: () => Promise<T>): Promise<T> {
    const answer = command();
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const fail = () => {
        if (isAnswered) return;
        this.#isOverdue = true;
        reject(new OverdueError("Redis does not answer in time."));
      };
      // In a process that was busy itself, the answer may lie in the socket: it is read before the immediate runs.
      const timer = setTimeout(() => setImmediate(fail), ANSWER_TIMEOUT_MS);
      answer.then(resolve, reject).finally(() => {
        isAnswered = true;
        clearTimeout(timer);
        this.#isOverdue = false;
      });
    });
  }

  close(): void {
    this.#client.destroy();
  }
}

function createRedis(url: Secret) {
  return createClient({
    url: url.reveal(),
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, MAX_RECONNECT_DELAY_MS),
    },
  });
}
