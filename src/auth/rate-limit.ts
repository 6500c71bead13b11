import type { FastifyReply } from "fastify";
import { GatewayError } from "../errors.js";
import { formatValue } from "../format-value.js";
import type { Redis } from "../redis.js";
import { boundedKey, type Count, FixedWindowCounter } from "./fixed-window-counter.js";

const WINDOW_SECONDS = 60;
const COUNT_USE = {
  command: "EVAL",
  purpose: "rate limits",
  cost: "each process counts separately. The script runs GET, SET, INCRBY and PTTL",
};

/** The Lua script that does the same as `FixedWindowCounter.add`, atomically in Redis. */
const ADD_IF_IT_FITS = `
local units, seconds, maximum = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = tonumber(redis.call('get', KEYS[1]) or '0') + units
if count <= maximum then
  redis.call('set', KEYS[1], 0, 'EX', seconds, 'NX')
  redis.call('incrby', KEYS[1], units)
end
local left = redis.call('pttl', KEYS[1])
return {count, left < 0 and 1000 * seconds or left}`;

/**
 * Limits the cost units of each client per minute. With Redis all replicas of the gateway share one count. While Redis is down,
 * each process counts separately.
 */
export class RateLimit {
  private readonly memory = new FixedWindowCounter(1000 * WINDOW_SECONDS);

  /** @param perMinute cost units per client and minute; 0 turns the rate limit off */
  constructor(
    private readonly perMinute: number,
    private readonly redis?: Redis,
  ) {}

  /**
   * Charges the cost of an operation to the client, or throws `RATE_LIMITED` and charges nothing. Sets the headers of the rate
   * limit.
   *
   * @param paid the units of the cost that have already been charged
   */
  async charge(client: string, cost: number, reply: FastifyReply, paid = 0): Promise<void> {
    const units = cost - paid;
    if (this.perMinute === 0 || units <= 0) return;
    const { count, msLeft } = await this.add(client, units);
    const fits = count <= this.perMinute;
    const left = this.perMinute - (fits ? count : count - units);
    this.setHeaders(reply, left, msLeft);
    if (!fits) throw this.rateLimitError(client, cost, left, msLeft);
  }

  /** Adds the units unless the count would exceed the limit. Returns the count including the units, even if they were not added. */
  private async add(client: string, units: number): Promise<Count> {
    if (this.redis?.isReady) {
      try {
        return await addInRedis(this.redis, boundedKey(client), units, this.perMinute);
      } catch {
        // The class `Redis` logs the outage.
      }
    }
    return this.memory.add(client, units, this.perMinute);
  }

  /** Sets the two headers of the current IETF draft, and the three headers of earlier drafts, which most clients read. */
  private setHeaders(reply: FastifyReply, left: number, ms: number): void {
    const reset = Math.ceil(ms / 1000);
    void reply.headers({
      "ratelimit-policy": `"cost";q=${this.perMinute};w=${WINDOW_SECONDS}`,
      ratelimit: `"cost";r=${left};t=${reset}`,
      "ratelimit-limit": this.perMinute,
      "ratelimit-remaining": left,
      "ratelimit-reset": reset,
    });
  }

  private rateLimitError(client: string, cost: number, left: number, ms: number): GatewayError {
    const advice =
      cost > this.perMinute
        ? "The cost exceeds the limit of a whole minute: select less, or split the operation."
        : `Try again in ${Math.ceil(ms / 1000)} seconds.`;
    return new GatewayError(
      "RATE_LIMITED",
      `The cost of this request is ${cost}, but the client ${formatValue(client)} has only ${left} of its ${this.perMinute} units ` +
        `left in this minute (RATE_LIMIT_PER_MINUTE). ${advice}`,
      { retryAfterMs: ms },
    );
  }
}

async function addInRedis(redis: Redis, key: string, units: number, maximum: number): Promise<Count> {
  const [count, msLeft] = (await redis.eval(COUNT_USE, ADD_IF_IT_FITS, {
    keys: [`{piopiy-graphql-gateway}:rate:${key}`],
    arguments: [units, WINDOW_SECONDS, maximum].map(String),
  })) as [number, number];
  return { count, msLeft };
}
