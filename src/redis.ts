import { createClient, ErrorReply } from "@redis/client";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import type { Secret } from "./secret.js";

const REPLY_TIMEOUT_MS = 250;
/** A reply that takes longer than this is logged. Shorter delays are common on a busy machine. */
const LOGGED_TIMEOUT_MS = 1000;
/** A `RedisUse` counts as failing for this time after its last failed command, so that occasional failures do not fill the log. */
const REFUSED_MS = 5000;
const MAX_RECONNECT_DELAY_MS = 2000;

type RedisClient = ReturnType<typeof createRedis>;

/** Has a method for each change of the connection. */
export interface ConnectionListener {
  /** Commands can be sent. No channel is subscribed to yet. */
  onReady(): void;
  /** Published messages may be missed from now on. */
  onLost(): void;
}

/** A use of Redis, and the consequence when it fails. Redis may accept some commands and reject others. */
interface RedisUse {
  readonly command: string;
  readonly purpose: string;
  readonly cost: string;
}

/** The commands that the Redis client sends on a new connection, for example to subscribe to its channels again. */
const CONNECT: RedisUse = {
  command: "AUTH, SELECT or SUBSCRIBE",
  purpose: "a new connection",
  cost: "rate limits apply to each process separately, and nothing is cached",
};

interface Refusal {
  /** The error codes: the first word of an error reply, such as READONLY, or TIMEOUT if there was no reply. Each is logged once. */
  readonly codes: Set<string>;
  lastAt: number;
}

/**
 * The connection to the Redis that several copies of the gateway share. Without a connection, or while a reply is overdue,
 * commands fail immediately, so that requests continue without Redis.
 */
export class Redis {
  readonly #client: RedisClient;
  readonly #log: FastifyBaseLogger;
  readonly #refusals = new Map<RedisUse, Refusal>();
  #isOverdue = false;

  /** Connects, and reconnects whenever the connection is lost. */
  constructor(url: Secret, log: FastifyBaseLogger) {
    this.#client = createRedis(url);
    this.#log = log;
    let isDisconnected = false;
    this.#client.on("error", (error: Error) => {
      // The client reconnects without limit, so the outage is logged only once.
      if (!isDisconnected)
        log.error(
          { reason: reasonOf(error) },
          "Redis is unreachable: rate limits apply to each process separately, and nothing is cached",
        );
      else if (error instanceof ErrorReply) this.#noteRefusal(CONNECT, codeOf(error));
      isDisconnected = true;
    });
    this.#client.on("ready", () => {
      if (isDisconnected) log.warn("Redis is reachable again");
      isDisconnected = false;
      this.#refusals.delete(CONNECT);
    });
    void this.#client.connect().catch(() => {});
  }

  get isReady(): boolean {
    return this.#client.isReady && !this.#isOverdue;
  }

  /** Whether Redis is connected and no command has failed in the last five seconds. */
  get isUp(): boolean {
    return this.isReady && ![...this.#refusals.values()].some(isRecent);
  }

  /** Runs a Lua script. */
  eval(use: RedisUse, script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown> {
    return this.#withTimeout(use, () => this.#client.eval(script, options));
  }

  /** Returns the value of a key and the milliseconds until it expires. The value is null when the key does not exist. */
  get(use: RedisUse, key: string): Promise<{ value: string | null; msLeft: number }> {
    return this.#withTimeout(use, async () => {
      // In this order, a value that is set between the two commands seems older than it is, never newer.
      const [msLeft, value] = await Promise.all([this.#client.pTTL(key), this.#client.get(key)]);
      return { value, msLeft };
    });
  }

  /** Sets a key that expires after a number of milliseconds. */
  async set(use: RedisUse, key: string, value: string, ms: number): Promise<void> {
    await this.#withTimeout(use, () =>
      this.#client.set(key, value, { expiration: { type: "PX", value: ms } }),
    );
  }

  /** Subscribes to a channel, on the connection of all commands. A repeated subscription adds the same listener only once. */
  subscribe(use: RedisUse, channel: string, onMessage: (message: string) => void): Promise<void> {
    return this.#withTimeout(use, () => this.#client.subscribe(channel, onMessage));
  }

  watch({ onReady, onLost }: ConnectionListener): void {
    this.#client.on("ready", onReady);
    this.#client.on("reconnecting", onLost);
    if (this.#client.isReady) onReady();
  }

  /** Runs a command. Rejects if there is no reply within 250 milliseconds. */
  async #withTimeout<T>(use: RedisUse, command: () => Promise<T>): Promise<T> {
    const reply = command();
    return new Promise((resolve, reject) => {
      let hasReply = false;
      // After the process was busy, the reply may still be in the socket. The reply is read before `setImmediate` runs the action.
      const unlessReplied = (action: () => void) => () => setImmediate(() => hasReply || action());
      const rejectLate = unlessReplied(() => {
        this.#isOverdue = true;
        reject(new Error("Redis did not reply in time."));
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
            // All other errors are connection errors.
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
    this.#log.warn({ command, code }, `Redis command failed: ${command} for ${purpose}; ${cost}`);
  }

  #noteAcceptance(use: RedisUse): void {
    const refusal = this.#refusals.get(use);
    if (!refusal || isRecent(refusal)) return;
    this.#refusals.delete(use);
    this.#log.warn({ command: use.command }, `Redis command works again: ${use.command} for ${use.purpose}`);
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
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, MAX_RECONNECT_DELAY_MS),
    },
  });
}
