import type { FastifyReply } from "fastify";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { GatewayError } from "./errors.js";
import { showValue } from "./pcmo/show-value.js";
import type { Redis } from "./redis.js";

const MINUTE_SECONDS = 60;

/** Adds only what fits, in one step, so that an operation that is refused takes nothing from those beside it. */
const ADD_IF_IT_FITS = `
local units, seconds, budget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted = tonumber(redis.call('get', KEYS[1]) or '0') + units
if wanted <= budget then
  redis.call('set', KEYS[1], 0, 'EX', seconds, 'NX')
  redis.call('incrby', KEYS[1], units)
end
local left = redis.call('pttl', KEYS[1])
return {wanted, left < 0 and 1000 * seconds or left}`;

/** The same in memory. */
class FittingMemory extends RateLimiterMemory {
  override async consume(key: string, units: number): Promise<RateLimiterRes> {
    const state = await this.get(key);
    const wanted = (state?.consumedPoints ?? 0) + units;
    if (wanted > this.points)
      throw new RateLimiterRes(0, state?.msBeforeNext ?? 1000 * MINUTE_SECONDS, wanted);
    return super.consume(key, units);
  }
}

/**
 * Lets each caller spend a number of cost units a minute. With Redis the copies of the gateway count together;
 * while Redis is away, each counts by itself.
 */
export class RateLimit {
  private readonly limiter: RateLimiterMemory | RateLimiterRedis | undefined;

  /** @param perMinute 0 turns it off */
  constructor(
    private readonly perMinute: number,
    redis?: Redis,
  ) {
    if (perMinute === 0) return;
    const options = { points: perMinute, duration: MINUTE_SECONDS, keyPrefix: "piopiy-graphql-gateway:rate" };
    const memory = new FittingMemory(options);
    this.limiter = redis
      ? new RateLimiterRedis({
          ...options,
          storeClient: redis,
          useRedisPackage: true,
          rejectIfRedisNotReady: true,
          customIncrTtlLuaScript: ADD_IF_IT_FITS,
          insuranceLimiter: memory,
        })
      : memory;
  }

  /**
   * Takes the cost of an operation off the caller's budget, or throws `RATE_LIMITED` and takes nothing. Tells the state
   * in headers.
   *
   * @param paid how much of the cost was taken before
   */
  async charge(caller: string, cost: number, reply: FastifyReply, paid = 0): Promise<void> {
    const units = cost - paid;
    if (!this.limiter || units <= 0) return;
    try {
      const { remainingPoints, msBeforeNext } = await this.limiter.consume(caller, units);
      this.tell(reply, remainingPoints, msBeforeNext);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const left = this.perMinute - (error.consumedPoints - units);
      this.tell(reply, left, error.msBeforeNext);
      throw this.refusal(caller, cost, left, error.msBeforeNext);
    }
  }

  /** The two headers of the IETF's current draft, and the three of its earlier ones, which most clients read. */
  private tell(reply: FastifyReply, left: number, ms: number): void {
    const reset = Math.ceil(ms / 1000);
    void reply.headers({
      "ratelimit-policy": `"cost";q=${this.perMinute};w=${MINUTE_SECONDS}`,
      ratelimit: `"cost";r=${left};t=${reset}`,
      "ratelimit-limit": this.perMinute,
      "ratelimit-remaining": left,
      "ratelimit-reset": reset,
    });
  }

  private refusal(caller: string, cost: number, left: number, ms: number): GatewayError {
    const advice =
      cost > this.perMinute
        ? "That is more than a whole minute's budget: ask for less."
        : `Try again in ${Math.ceil(ms / 1000)} seconds.`;
    return new GatewayError(
      "RATE_LIMITED",
      `This costs ${cost} units, and ${left} of the ${this.perMinute} that ${showValue(caller)} may spend a minute ` +
        `(RATE_LIMIT_PER_MINUTE) are left. ${advice}`,
      { retryAfterMs: ms },
    );
  }
}
