import { randomUUID } from "node:crypto";
import type { Redis } from "../../redis.js";
import { Heartbeat } from "./heartbeat.js";
import type { Changes } from "./invalidation.js";
import { MAX_CHANGED, type Subject, type Versions } from "./versions.js";

/** How often a heartbeat is sent, and how old the last one that was heard may be. */
const HEARTBEAT_MS = 250;
const TRUST_MS = 1000;

const COST = "nothing is cached";
const INVALIDATE = {
  command: "EVAL",
  purpose: "invalidations",
  cost: `${COST}. The script runs HGET, HSET, HLEN, HGETALL, EXPIRE and PUBLISH`,
};
const LISTEN = { command: "SUBSCRIBE", purpose: "invalidations", cost: COST };

/**
 * Keeps all versions in one hash, where "" is the version of whatever has not changed, and publishes each change to every
 * process. A hash that is lost, full or not yet there is begun anew under another such version, which changes everything.
 * Heartbeats and joining processes run the same commands without subjects: a Redis that refuses changes refuses them too.
 * So the hash is deleted by an expiry of 0 seconds. The script begins with a write that needs memory, since Redis refuses no further writes of a script after its first.
 */
const TELL = `
local hash, channel, new, maximum = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
redis.call('hset', hash, '', redis.call('hget', hash, '') or new)
if redis.call('hlen', hash) > maximum or ARGV[4] == 'forget' then
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
return ARGV[4] == 'tell' and {} or redis.call('hgetall', hash)`;

/**
 * Invalidation among all processes that share a Redis. Changes and heartbeats come over one connection, in Redis's order.
 * So a process hears of a change when it is announced, and serves nothing from cache a second later at the latest if it
 * does not.
 */
export class RedisChanges implements Changes {
  readonly #redis: Redis;
  readonly #versions: Versions;
  readonly #key: string;
  readonly #heartbeat: Heartbeat;
  #hasJoined = false;
  /** How many changes of this process the others may not know of. */
  #debts = 0;
  /** While it asks what the others know: what it has heard since, which the answer may not hold. */
  #heard: string[] | undefined;

  /** @param account names the account at PIOPIY; gateways with another account share nothing */
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

  async announce(subjects: readonly Subject[]): Promise<void> {
    const version = randomUUID();
    for (const subject of subjects) this.#versions.change(subject, version);
    try {
      await this.#run("tell", version, subjects);
    } catch {
      this.#debts++;
      this.#hasJoined = false;
    }
  }

  close(): void {
    this.#heartbeat.stop();
  }

  async #beat(beat: string): Promise<void> {
    if (this.#redis.isReady) await (this.#hasJoined ? this.#run("tell", beat, []) : this.#join(beat));
  }

  readonly #hear = (message: string): void => {
    this.#heard?.push(message);
    this.#note(message);
  };

  #note(message: string): void {
    const [unchanged = "", version = "", ...subjects] = JSON.parse(message) as string[];
    if (unchanged !== this.#versions.ofUnchanged) this.#versions.reset(unchanged);
    for (const subject of subjects) this.#versions.change(subject, version);
    this.#heartbeat.hear(version);
  }

  /** Takes over what the others know. If they do not know all that this process has changed, everything counts as changed. */
  async #join(beat: string): Promise<void> {
    const heard: string[] = [];
    this.#heard = heard;
    const debts = this.#debts;
    try {
      await this.#redis.subscribe(LISTEN, this.#key, this.#hear);
      const known = pairs((await this.#run(debts > 0 ? "forget" : "join", beat, [])) as string[]);
      const unchanged = known.get("");
      known.delete("");
      this.#versions.reset(unchanged, known);
      this.#debts -= debts;
      this.#hasJoined = this.#debts === 0;
      for (const message of heard) this.#note(message);
    } finally {
      this.#heard = undefined;
    }
  }

  #run(mode: "tell" | "join" | "forget", version: string, subjects: readonly Subject[]): Promise<unknown> {
    return this.#redis.eval(INVALIDATE, TELL, {
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
