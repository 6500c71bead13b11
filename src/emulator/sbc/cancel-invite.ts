import { type OutgoingInviteRequest, TransactionState } from "sip.js/lib/core/index.js";
import type { Flow } from "./flow.js";

/** The time in which a phone must respond to CANCEL, in milliseconds: 64 times T1 of RFC 3261. */
const CANCEL_TIMEOUT_MS = 32_000;

/**
 * Cancels an INVITE or a re-INVITE that has no final response yet. `reason` is the value of the Reason header: without it, a phone
 * that rings shows a missed call. Removes the transaction when the phone sends no final response in 32 seconds.
 */
export function cancelInvite({ core, closed }: Flow, request: OutgoingInviteRequest, reason?: string): void {
  // The transaction of CANCEL would outlive the others of the flow.
  if (closed.aborted) return;
  request.cancel(reason);
  const id = `${request.message.branch}INVITE`;
  const timer = setTimeout(() => {
    const client = core.userAgentClients.get(id);
    // In all other states, a timer of sip.js ends the transaction.
    if (client?.transaction.state !== TransactionState.Proceeding) return;
    client.dispose();
    core.userAgentClients.delete(id);
  }, CANCEL_TIMEOUT_MS);
  timer.unref();
}
