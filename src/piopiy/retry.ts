import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../errors.js";
import type { Budget } from "./budget.js";

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;

/**
 * Runs a read up to three times while its failure may pass and the budget allows. The pause before a further
 * attempt is what PIOPIY asked for by `Retry-After`, else a random part of 100, then 200 milliseconds: random,
 * so that callers who failed together do not come back together.
 */
export async function retryRead<T>(budget: Budget, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.extensions.retryable || attempt === ATTEMPTS)
        throw error;
      const asked = error.extensions.retryAfterMs;
      const pause = typeof asked === "number" ? asked : Math.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (pause >= budget.timeLeft || budget.forReads.aborted) throw error;
      await sleep(pause, undefined, { signal: budget.forReads }).catch(() => {
        throw error;
      });
    }
  }
}
