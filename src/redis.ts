import { createClient, ErrorReply } from "@redis/client";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import type { Secret } from "./secret.js";

const CONNECT_TIMEOUT_MS = 2000;
const REPLY_TIMEOUT_MS = 250;
/** A reply that is missing for so long is logged. Shorter delays are common where a machine is busy. */
const LOGGED_TIMEOUT_MS = 1000;
/** For so long after the last refusal a use counts as refused, so that one that is refused now and then does not fill the log. */
const REFUSED_MS = 5000;
const MAX_RECONNECT_DELAY_MS = 2000;

type RedisClient = ReturnType<typeof createRedis>;

/** Called as the connection comes and goes. */
export interface ConnectionListener {
  /** Commands can be sent; nothing is subscribed to yet. */
  onReady(): void;
  /** What is published may be missed. */
  onLost(): void;
}

/** What a command is used for, and what it costs when Redis refuses it: Redis may accept some commands and refuse others. */
interface RedisUse {
  readonly command: string;
  readonly purpose: string;
  readonly cost: string;
}

/** What the Redis client does before a connection can be used: it subscribes again to what it was subscribed to. */
const CONNECT: RedisUse = {
  command: "AUTH, SELECT or SUBSCRIBE",
  purpose: "a new connection",
  cost: "limits hold for this process alone, and nothing is cached",
};

interface Refusal {
  /** The codes of the replies: their first words, such as READONLY or OOM, or TIMEOUT. Each is logged once. */
  readonly codes: Set<string>;
  lastAt: number;
}

/**
 * The Redis connection that several copies of the gateway share. Without a connection, or while a reply is overdue, commands
 * fail at once, so that requests continue without Redis.
 */
export class Redis {
  readonly #client: RedisClient;
  readonly #log: FastifyBaseLogger;
  readonly #refusals = new Map<RedisUse, Refusal>();
  #isOverdue = false;

  /** Connects now, and whenever the connection is lost. */
  constructor(url: Secret, log: FastifyBaseLogger) {
    this.#client = createRedis(url);
    this.#log = log;
    let isDisconnected = false;
    this.#client.on("error", (error: Error) => {
      // The client reconnects without end; the outage is logged once.
      if (!isDisconnected)
        log.error(
          { reason: reasonOf(error) },
          "Redis is not reached: limits hold for this process alone, and nothing is cached",
        );
      else if (error instanceof ErrorReply) this.#noteRefusal(CONNECT, codeOf(error));
      isDisconnected = true;
    });
    this.#client.on("ready", () => {
      if (isDisconnected) log.warn("Redis is reached again");
      isDisconnected = false;
      this.#refusals.delete(CONNECT);
    });
    void this.#client.connect().catch(() => {});
  }

  get isReady(): boolean {
    return this.#client.isReady && !this.#isOverdue;
  }

  /** Whether Redis is connected, and has refused nothing for some seconds. */
  get isUp(): boolean {
    return this.isReady && ![...this.#refusals.values()].some(isRecent);
  }

  /** Runs a Lua script. */
  eval(use: RedisUse, script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown> {
    return this.#withTimeout(use, () => this.#client.eval(script, options));
  }

  /** Returns the text under a key and its remaining time; null when there is none. */
  get(use: RedisUse, key: string): Promise<{ value: string | null; msLeft: number }> {
    return this.#withTimeout(use, async () => {
      // In this order: what another process sets between the two seems older than it is, and not younger.
      const [msLeft, value] = await Promise.all([this.#client.pTTL(key), this.#client.get(key)]);
      return { value, msLeft };
    });
  }

  /** Stores a text under a key for a number of milliseconds. */
  async set(use: RedisUse, key: string, value: string, ms: number): Promise<void> {
    await this.#withTimeout(use, () =>
      this.#client.set(key, value, { expiration: { type: "PX", value: ms } }),
    );
  }

  /** Listens to a channel over the same connection as all commands; again only if that was not done before. */
  subscribe(use: RedisUse, channel: string, onMessage: (message: string) => void): Promise<void> {
    return this.#withTimeout(use, () => this.#client.subscribe(channel, onMessage));
  }

  watch({ onReady, onLost }: ConnectionListener): void {
    this.#client.on("ready", onReady);
    this.#client.on("reconnecting", onLost);
    if (this.#client.isReady) onReady();
  }

  /** Runs a command, and rejects if there is no reply within 250 milliseconds. */
  async #withTimeout<T>(use: RedisUse, command: () => Promise<T>): Promise<T> {
    const reply = command();
    return new Promise((resolve, reject) => {
      let hasReply = false;
      // In a process that was busy, the reply may wait in the socket: it is read before the immediate runs.
      const unlessReplied = (action: () => void) => () => setImmediate(() => hasReply || action());
      const rejectLate = unlessReplied(() => {
        this.#isOverdue = true;
        reject(new Error("Redis does not answer in time."));
      });
      const timers = [
        setTimeout(rejectLate, REPLY_TIMEOUT_MS),
        setTimeout(
          unlessReplied(() => this.#noteRefusal(use, "TIMEOUT")),
          LOGGED_TIMEOUT_MS,
        ),
      ];
      reply
        .then(
          (result) => {
            this.#noteAcceptance(use);
            resolve(result);
          },
          (error) => {
            // Any other error is one of the connection.
            if (error instanceof ErrorReply) this.#noteRefusal(use, codeOf(error));
            reject(error);
          },
        )
        .finally(() => {
          hasReply = true;
          for (const timer of timers) clearTimeout(timer);
          this.#isOverdue = false;
        });
    });
  }

  #noteRefusal(use: RedisUse, code: string): void {
    const refusal = this.#refusals.get(use) ?? { codes: new Set(), lastAt: 0 };
    this.#refusals.set(use, refusal);
    refusal.lastAt = performance.now();
    if (refusal.codes.has(code)) return;
    refusal.codes.add(code);
    const { command, purpose, cost } = use;
    this.#log.warn({ command, code }, `Redis refuses ${command} for ${purpose}: ${cost}`);
  }

  #noteAcceptance(use: RedisUse): void {
    const refusal = this.#refusals.get(use);
    if (!refusal || isRecent(refusal)) return;
    this.#refusals.delete(use);
    this.#log.warn({ command: use.command }, `Redis accepts ${use.command} for ${use.purpose} again`);
  }

  close(): void {
    this.#client.destroy();
  }
}

function isRecent({ lastAt }: Refusal): boolean {
  return performance.now() - lastAt < REFUSED_MS;
}

function codeOf({ message }: ErrorReply): string {
  return /^[A-Z]+\b/.exec(message)?.[0] ?? "ERR";
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
