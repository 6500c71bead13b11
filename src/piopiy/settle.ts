import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../errors.js";
import type { Budget } from "./budget.js";
import type { Stop } from "./stop.js";
import type { SipEndpointRecord } from "./wire.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** What settling a write takes. Each attempt ends early when it is told to stop. */
export interface Settlement<T, Stops extends unknown[] = [Stop]> {
  /** Makes one attempt; null is PIOPIY's refusal. */
  write(...stops: Stops): Promise<T | null>;
  /** Looks at the endpoint once. */
  find(...stops: Stops): Promise<SipEndpointRecord | null>;
  /** Tells from what is found how the write ended; null when it has not taken. */
  verdict(found: SipEndpointRecord | null): { readonly answer: T | null } | null;
}

/**
 * Makes a write, and finds out what became of it when its answer is lost: by looking at the endpoint, and by writing
 * again where it has not taken. That is safe for all three writes: a username is unique, a password is set to what it
 * is, and a removed endpoint stays so.
 *
 * @throws GatewayError OUTCOME_UNKNOWN when PIOPIY does not tell before the deadline
 */
export async function settle<T>(
  { write, find, verdict }: Settlement<T, []>,
  budget: Budget,
): Promise<T | null> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "OUTCOME_UNKNOWN") throw error;
    for (let round = 0; ; round++) {
      let pause = Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
      try {
        const settled = verdict(await find());
        if (settled) return settled.answer;
        const answer = await write();
        // A refusal may be the doing of the attempt before: the next look tells.
        if (answer) return answer;
      } catch (failure) {
        if (!(failure instanceof GatewayError) || !failure.extensions.retryable) throw error;
        pause = Math.max(pause, Number(failure.extensions.retryAfterMs ?? 0));
      }
      if (pause >= budget.timeLeft) throw error;
      await sleep(pause);
    }
  }
}
