import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../../errors.js";
import type { Secret } from "../../secret.js";
import { comparePasswords } from "../../sip/password.js";
import type { Budget } from "../budget.js";
import { Mismatch } from "../mismatch.js";
import type { SipEndpointRecord } from "../protocol.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/**
 * What the endpoint tells about a write whose response was lost: how it ended, that it has not taken effect, or neither, because
 * the passwords cannot be compared.
 */
export type Verdict<T> = { readonly answer: T | null } | "not taken" | "unclear";

/** The verdict on a write that set this password: `answer` when the endpoint has it, `otherwise` when it has another one. */
export function judgePassword<T>(
  sent: Secret,
  { password }: SipEndpointRecord,
  answer: T,
  otherwise: Verdict<T>,
): Verdict<T> {
  const verdicts = { same: { answer }, different: otherwise, unclear: "unclear" } as const;
  return verdicts[comparePasswords(sent, password)];
}

/** What settling a write takes. */
export interface Settlement<T> {
  /** Makes one attempt; null is PIOPIY's refusal. */
  write(): Promise<T | null>;
  /** Looks at the endpoint once. */
  find(): Promise<SipEndpointRecord | null>;
  /** Tells from what is found how the write ended. */
  verdict(found: SipEndpointRecord | null): Verdict<T>;
}

/**
 * Makes a write, and finds out what became of it when its answer is lost: by looking at the endpoint, and by writing
 * again where it has not taken. That is safe for all three writes: a username is unique, a password is set to what it
 * is, and a removed endpoint stays so. A write that was answered with something else than was written is not made again: only an
 * endpoint that is as it should be proves it.
 *
 * @throws GatewayError OUTCOME_UNKNOWN when PIOPIY does not tell before the deadline
 */
export async function settle<T>({ write, find, verdict }: Settlement<T>, budget: Budget): Promise<T | null> {
  try {
    return await write();
  } catch (error) {
    if (!isUnknown(error)) throw error;
    let unknown = error;
    for (let round = 0; ; round++) {
      let pause = Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
      try {
        const found = verdict(await find());
        const mayRepeat = !(unknown instanceof Mismatch);
        if (typeof found === "object" && (found.answer || mayRepeat)) return found.answer;
        if (found !== "not taken" || !mayRepeat) break;
        const answer = await write();
        // A refusal may be the doing of the attempt before: the next look tells.
        if (answer) return answer;
      } catch (failure) {
        if (isUnknown(failure)) unknown = failure;
        else if (!mayPass(failure)) break;
        else pause = Math.max(pause, Number(failure.extensions.retryAfterMs ?? 0));
      }
      if (pause >= budget.timeLeft) break;
      await sleep(pause);
    }
    throw unknown;
  }
}

function isUnknown(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.code === "OUTCOME_UNKNOWN";
}

function mayPass(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.extensions.retryable === true;
}
