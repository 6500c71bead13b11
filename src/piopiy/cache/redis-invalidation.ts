import { randomUUID } from "node:crypto";
import type { Redis } from "../../redis.js";
import { Heartbeat } from "./heartbeat.js";
import { type Invalidation, MAX_CHANGED, type Versions } from "./invalidation.js";

/** Milliseconds between two heartbeats, and the maximum age of the last heartbeat that was received. */
const HEARTBEAT_MS = 250;
const TRUST_MS = 1000;

const COST = "nothing is cached";
const INVALIDATE = {
  command: "EVAL",
  purpose: "invalidations",
  cost: `${COST}. The script runs HGET, HSET, HLEN, HGETALL, EXPIRE and PUBLISH`,
};
const SUBSCRIBE = { command: "SUBSCRIBE", purpose: "invalidations", cost: COST };

/**
 * The Lua script that stores all versions in one Redis hash, and publishes each change to every process. The field "" of the hash
 * is the version of every subject that has not changed. If the hash is missing or full, or a change was lost, the script creates
 * the hash again with a new version in "". Every subject then counts as changed.
 *
 * Heartbeats and starting processes run the same commands without subjects, so that a Redis that rejects changes rejects
 * heartbeats too. For this reason, EXPIRE deletes the hash: Redis could reject DEL and accept the other commands. The script
 * begins with a write that needs memory, since after the first write of a script, Redis rejects no further writes of the script.
 */
const PUBLISH = `
local hash, channel, new, maximum = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
redis.call('hset', hash, '', redis.call('hget', hash, '') or new)
if redis.call('hlen', hash) > maximum or ARGV[4] == 'clear' then
  redis.call('expire', hash, 0)
  redis.call('hset', hash, '', new)
end
redis.call('expire', hash, 86400)
local subjects = {}
for i = 5, #ARGV do
  redis.call('hset', hash, ARGV[i], new)
  subjects[#subjects + 1] = ARGV[i]
end
redis.call('publish', channel, cjson.encode({ redis.call('hget', hash, ''), new, unpack(subjects) }))
return ARGV[4] == 'publish' and {} or redis.call('hgetall', hash)`;

/**
 * Invalidation among all processes that share a Redis. Changes and heartbeats arrive over one connection, in the order in which
 * Redis publishes them. So a process that receives heartbeats receives changes too. A process that receives none stops serving
 * from cache after one second at most.
 */
export class RedisInvalidation implements Invalidation {
  readonly #redis: Redis;
  readonly #versions: Versions;
  readonly #key: string;
  readonly #heartbeat: Heartbeat;
  #hasJoined = false;
  /** How many changes of this process other processes may not have received. */
  #unheard = 0;
  /** The messages that arrive while all versions are read from Redis, since the reply may not contain their changes. */
  #heard: string[] | undefined;

  /** @param account identifies the account at PIOPIY; gateways with different accounts share nothing */
  constructor(redis: Redis, account: string, versions: Versions) {
    this.#redis = redis;
    this.#versions = versions;
    this.#key = `{piopiy-graphql-gateway}:versions:${account}`;
    this.#heartbeat = new Heartbeat(HEARTBEAT_MS, TRUST_MS, (beat) => this.#beat(beat));
    redis.watch({
      onReady: () => this.#heartbeat.beat(),
      onLost: () => {
        this.#hasJoined = false;
      },
    });
  }

  get isCurrent(): boolean {
    return this.#hasJoined && this.#redis.isReady && this.#heartbeat.isFresh;
  }

  async publish(subjects: readonly string[]): Promise<void> {
    const version = randomUUID();
    for (const subject of subjects) this.#versions.change(subject, version);
    try {
      await this.#run("publish", version, subjects);
    } catch {
      this.#unheard++;
      this.#hasJoined = false;
    }
  }

  close(): void {
    this.#heartbeat.stop();
  }

  async #beat(beat: string): Promise<void> {
    if (this.#redis.isReady) await (this.#hasJoined ? this.#run("publish", beat, []) : this.#join(beat));
  }

  readonly #onMessage = (message: string): void => {
    this.#heard?.push(message);
    this.#apply(message);
  };

  #apply(message: string): void {
    const [base = "", version = "", ...subjects] = JSON.parse(message) as string[];
    if (base !== this.#versions.base) this.#versions.reset(base);
    for (const subject of subjects) this.#versions.change(subject, version);
    this.#heartbeat.hear(version);
  }

  /** Copies the versions from Redis. If other processes may have missed changes of this process, every subject counts as changed. */
  async #join(beat: string): Promise<void> {
    const heard: string[] = [];
    this.#heard = heard;
    const unheard = this.#unheard;
    try {
      await this.#redis.subscribe(SUBSCRIBE, this.#key, this.#onMessage);
      const known = pairs((await this.#run(unheard > 0 ? "clear" : "join", beat, [])) as string[]);
      const base = known.get("");
      known.delete("");
      this.#versions.reset(base, known);
      this.#unheard -= unheard;
      this.#hasJoined = this.#unheard === 0;
      for (const message of heard) this.#apply(message);
    } finally {
      this.#heard = undefined;
    }
  }

  #run(mode: "publish" | "join" | "clear", version: string, subjects: readonly string[]): Promise<unknown> {
    return this.#redis.eval(INVALIDATE, PUBLISH, {
      keys: [this.#key],
      arguments: [this.#key, version, String(MAX_CHANGED), mode, ...subjects],
    });
  }
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) map.set(flat[index] ?? "", flat[index + 1] ?? "");
  return map;
}
