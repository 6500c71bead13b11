import { randomUUID } from "node:crypto";
import type { Redis } from "../../redis.js";
import type { Changes } from "./changes.js";
import { MAX_CHANGED, type Subject, type Versions } from "./versions.js";

/** How often Redis is asked for a sign of life, and how old the last one may be. */
const PROBE_MS = 250;
const TRUST_MS = 1000;

/**
 * Keeps all versions in one hash, where "" is the version of whatever has not changed, and tells every process of each
 * change. A hash that is lost, full or not yet there is begun anew under another such version, which changes everything.
 */
const TELL = `
local hash, channel, new, maximum = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if ARGV[4] == 'forget' or redis.call('hlen', hash) > maximum then redis.call('del', hash) end
redis.call('hsetnx', hash, '', new)
redis.call('expire', hash, 86400)
local subjects = {}
for i = 5, #ARGV do
  redis.call('hset', hash, ARGV[i], new)
  subjects[#subjects + 1] = ARGV[i]
end
if ARGV[4] ~= 'join' then
  redis.call('publish', channel, cjson.encode({ redis.call('hget', hash, ''), new, unpack(subjects) }))
end
return ARGV[4] == 'tell' and {} or redis.call('hgetall', hash)`;

/**
 * The changes of all processes that share a Redis. Announcements and signs of life come over one connection, in Redis's
 * order: whatever was announced before an answer was sent is known once the answer is here. So a process knows a change
 * when it was announced, and at the latest a second later does without what it has kept.
 */
export class RedisChanges implements Changes {
  readonly #redis: Redis;
  readonly #versions: Versions;
  readonly #key: string;
  readonly #probes: NodeJS.Timeout;
  #hasJoined = false;
  /** How many changes of this process the others may not know of. */
  #debts = 0;
  #provenAt = 0;
  /** While it asks what the others know: what it has heard since, which the answer may not hold. */
  #heard: string[] | undefined;

  /** @param account names the account at PIOPIY; gateways with another account share nothing */
  constructor(redis: Redis, account: string, versions: Versions) {
    this.#redis = redis;
    this.#versions = versions;
    this.#key = `piopiy-graphql-gateway:versions:${account}`;
    this.#probes = setInterval(() => this.#probe(), PROBE_MS).unref();
    redis.subscribe(this.#key, {
      onMessage: (message) => this.#hear(message),
      onListening: () => this.#join(),
      onLost: () => {
        this.#hasJoined = false;
      },
    });
  }

  get isCurrent(): boolean {
    return this.#hasJoined && this.#redis.isReady && performance.now() - this.#provenAt < TRUST_MS;
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
    clearInterval(this.#probes);
  }

  #hear(message: string): void {
    this.#heard?.push(message);
    this.#note(message);
  }

  #note(message: string): void {
    const [unchanged = "", version = "", ...subjects] = JSON.parse(message) as string[];
    if (unchanged !== this.#versions.ofUnchanged) this.#versions.reset(unchanged);
    for (const subject of subjects) this.#versions.change(subject, version);
  }

  async #probe(): Promise<void> {
    if (this.#redis.isReady && !this.#hasJoined) return this.#join();
    const asked = performance.now();
    const answered = await this.#redis.ping().then(
      () => true,
      () => false,
    );
    if (answered) this.#provenAt = asked;
  }

  /** Takes over what the others know. If they do not know all that this process has changed, everything counts as changed. */
  async #join(): Promise<void> {
    if (this.#heard) return;
    this.#hasJoined = false;
    const heard: string[] = [];
    this.#heard = heard;
    const debts = this.#debts;
    const asked = performance.now();
    try {
      const known = pairs((await this.#run(debts > 0 ? "forget" : "join", randomUUID(), [])) as string[]);
      const unchanged = known.get("");
      known.delete("");
      this.#versions.reset(unchanged, known);
      for (const message of heard) this.#note(message);
      this.#debts -= debts;
      this.#provenAt = asked;
      this.#hasJoined = this.#debts === 0;
    } catch {
      // The next probe tries again.
    } finally {
      this.#heard = undefined;
    }
  }

  #run(mode: "tell" | "join" | "forget", version: string, subjects: readonly Subject[]): Promise<unknown> {
    return this.#redis.eval(TELL, {
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
