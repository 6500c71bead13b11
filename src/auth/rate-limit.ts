import type { FastifyReply } from "fastify";
import { GatewayError } from "../errors.js";
import { formatValue } from "../format-value.js";
import type { Redis } from "../redis.js";
import { boundedKey, type Count, FixedWindowCounter } from "./fixed-window-counter.js";

/** The cost units that are charged for every request before its body is read. */
export const REQUEST_UNITS = 1;

const REMAINING_HEADER = "ratelimit-remaining";
const WINDOW_SECONDS = 60;
/** Reading and validating a large operation takes milliseconds, so a client without units may cause this work ten times a second. */
const MAX_EXPLAINED = 600;
const COUNT_USE = {
  command: "EVAL",
  purpose: "rate limits",
  cost: "each process counts separately. The script runs GET, SET, INCRBY and PTTL",
};

/** The cost of an operation, as its response reports it in `extensions.cost`. */
export interface OperationCost {
  /** The cost of the operation, in cost units. */
  readonly requested: number;
  /** The units that the client has left. Undefined if the rate limit is off. */
  readonly remaining: number | undefined;
}

/** Returns the cost of an operation for its response, after the last charge. */
export function describeCost(requested: number, reply: FastifyReply): OperationCost {
  const remaining = reply.getHeader(REMAINING_HEADER);
  return { requested, remaining: remaining === undefined ? undefined : Number(remaining) };
}

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
  private readonly explained = new FixedWindowCounter(1000 * WINDOW_SECONDS);

  /** @param perMinute cost units per client and minute; 0 turns the rate limit off */
  constructor(
    private readonly perMinute: number,
    private readonly redis?: Redis,
  ) {}

  /**
   * Charges one unit for a request before its body is read. If no unit is left, returns the error for a request that is not an
   * operation: the error of an operation names its cost, which is known after the body is read. Throws the error if the client
   * has sent many requests without units.
   */
  async admit(client: string, reply: FastifyReply): Promise<GatewayError | undefined> {
    const msLeft = await this.refusalMs(client, REQUEST_UNITS, reply);
    if (msLeft === undefined) return undefined;
    const error = rateLimitError(
      `The client ${formatValue(client)} has used up its ${this.perMinute} units of this minute (RATE_LIMIT_PER_MINUTE). ${waitAdvice(msLeft)}`,
      msLeft,
    );
    if (this.explained.add(client).count > MAX_EXPLAINED) throw error;
    return error;
  }

  /**
   * Charges the cost of an operation to the client, or throws `RATE_LIMITED` and charges nothing.
   *
   * @param paid the units of the cost that have already been charged
   */
  async charge(client: string, cost: number, reply: FastifyReply, paid: number): Promise<void> {
    const msLeft = await this.refusalMs(client, cost - paid, reply);
    if (msLeft === undefined) return;
    const { remaining } = describeCost(cost, reply);
    const problem =
      `The cost of this request is ${cost}${paid > REQUEST_UNITS ? `, of which ${paid} units are already charged` : ""}, but the ` +
      `client ${formatValue(client)} has only ${remaining} of its ${this.perMinute} units left in this minute (RATE_LIMIT_PER_MINUTE).`;
    throw cost > this.perMinute
      ? rateLimitError(
          `${problem} The cost exceeds the limit of a whole minute: select less, or split the operation.`,
        )
      : rateLimitError(`${problem} ${waitAdvice(msLeft)}`, msLeft);
  }

  /**
   * Charges units to the client and returns undefined, or charges nothing and returns the milliseconds until the window ends.
   * Sets the headers of the rate limit.
   */
  private async refusalMs(client: string, units: number, reply: FastifyReply): Promise<number | undefined> {
    if (this.perMinute === 0 || units <= 0) return undefined;
    const { count, msLeft } = await this.add(client, units);
    const fits = count <= this.perMinute;
    this.setHeaders(reply, this.perMinute - (fits ? count : count - units), msLeft);
    return fits ? undefined : msLeft;
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
      [REMAINING_HEADER]: left,
      "ratelimit-reset": reset,
    });
  }
}

/** Returns the error `RATE_LIMITED`, which is retryable if there is a time after which the same request may succeed. */
function rateLimitError(message: string, retryAfterMs?: number): GatewayError {
  return new GatewayError(
    "RATE_LIMITED",
    message,
    retryAfterMs === undefined ? { retryable: false } : { retryAfterMs },
  );
}

function waitAdvice(ms: number): string {
  return `Try again in ${Math.ceil(ms / 1000)} seconds.`;
}

async function addInRedis(redis: Redis, key: string, units: number, maximum: number): Promise<Count> {
  const [count, msLeft] = (await redis.eval(COUNT_USE, ADD_IF_IT_FITS, {
    keys: [`{piopiy-graphql-gateway}:rate:${key}`],
    arguments: [units, WINDOW_SECONDS, maximum].map(String),
  })) as [number, number];
  return { count, msLeft };
}
