import { setTimeout as sleep } from "node:timers/promises";
import type { Secret } from "../../secret.js";
import { comparePasswords } from "../../sip/password.js";
import { countReconciledWrite, countRetry } from "../../telemetry/metrics.js";
import type { AnyParameters, SipEndpointRecord } from "../protocol.js";
import { UpstreamError } from "../upstream-error.js";
import { type Layer, received, type UpstreamRequest } from "./pipeline.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** The outcome of a write whose response was lost, as `get_sip` shows it: its result, no effect, or not known. */
type Outcome = { readonly result: object | null } | "not applied" | "unclear";

/**
 * Sends a write. When its response is lost, reads the endpoint with `get_sip`, and sends the write again if it did not take
 * effect. To send it again is safe for all three writes: a username is unique, a password is set to the same value, and a removed
 * endpoint stays removed. If PIOPIY sends a response that belongs to another request, the write is not sent again. The write
 * then counts as successful only if `get_sip` returns the endpoint in the expected state.
 *
 * Rejects with OUTCOME_UNKNOWN when PIOPIY does not show the outcome before the deadline.
 */
export const reconcile: Layer = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    let unknown = error;
    const { operation } = request;
    let resendCount = 0;
    // From here on, a disconnect of the client aborts nothing, since the write may have taken effect.
    const again = { ...request, waitSignal: request.signal };
    const find = { ...again, operation: "get_sip", parameters: nameOf(request) } as const;
    for (let round = 0; ; round++) {
      let pause = Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
      try {
        const { value } = await next({ ...find, resendCount: round });
        const outcome = outcomeOf(request, value as SipEndpointRecord | null);
        const mayRepeat = unknown.kind !== "mismatch";
        if (typeof outcome === "object" && (outcome.result || mayRepeat)) {
          countReconciledWrite({ operation, result: outcome.result ? "applied" : "not_applied" });
          return received(outcome.result);
        }
        if (outcome !== "not applied" || !mayRepeat) break;
        request.deadline.usage.retries++;
        countRetry({ operation });
        const response = await next({ ...again, resendCount: ++resendCount });
        // PIOPIY may reject the write because the previous attempt took effect. The next read shows whether it did.
        if (response.value) {
          countReconciledWrite({ operation, result: "repeated" });
          return response;
        }
      } catch (failure) {
        if (isUnknown(failure)) unknown = failure;
        else if (!mayPass(failure)) break;
        else pause = Math.max(pause, Number(failure.extensions.retryAfterMs ?? 0));
      }
      if (pause >= request.deadline.msLeft) break;
      await sleep(pause);
    }
    countReconciledWrite({ operation, result: "unknown" });
    throw unknown;
  }
};

function outcomeOf({ operation, parameters }: UpstreamRequest, found: SipEndpointRecord | null): Outcome {
  const { username, password } = parameters;
  switch (operation) {
    case "add_sip":
      // A different password shows that the endpoint was created by another client.
      return found ? byPassword(password, found, { ...found, password }, { result: null }) : "not applied";
    case "update_sip":
      return found ? byPassword(password, found, { username, password }, "not applied") : { result: null };
    default:
      return found ? "not applied" : { result: { username } };
  }
}

function byPassword(
  sent: Secret | undefined,
  { password }: SipEndpointRecord,
  result: object,
  otherwise: Outcome,
): Outcome {
  if (!sent) return "unclear";
  const outcomes = { same: { result }, different: otherwise, unclear: "unclear" } as const;
  return outcomes[comparePasswords(sent, password)];
}

function nameOf({ parameters: { username = "" } }: UpstreamRequest): AnyParameters {
  return { username };
}

function isUnknown(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.code === "OUTCOME_UNKNOWN";
}

function mayPass(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.extensions.retryable === true;
}
