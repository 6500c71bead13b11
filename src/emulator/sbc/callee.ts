import type { Body, OutgoingInviteRequest, URI } from "sip.js/lib/core/index.js";
import { cancelInvite } from "./cancel-invite.js";
import { type Failure, failureOf } from "./failure.js";
import { allowHeader } from "./flow.js";
import { Leg } from "./leg.js";
import type { Phone } from "./registrar.js";
import { bodyOf, rejectAll } from "./session-description.js";

/** Who calls, as shown on the called phone. */
export interface CallerId {
  readonly user: string;
  readonly displayName: string;
}

/** An answered call: the leg to the phone, and its session description, an offer when the INVITE had none. */
export interface Answer {
  readonly leg: Leg;
  readonly description: Body;
}

interface CalleeHandlers {
  rings(): void;
  answers(answer: Answer): void;
  fails(failure: Failure): void;
}

/** One INVITE to one phone. Calls `answers` or `fails` once, or neither after `cancel`. */
export class Callee {
  private readonly request: OutgoingInviteRequest;
  private isOver = false;

  /** @param offer the caller's session description; without it, the phone makes the offer */
  constructor(
    private readonly phone: Phone,
    callerId: CallerId,
    offer: Body | undefined,
    private readonly handlers: CalleeHandlers,
  ) {
    const { flow, contact, username } = phone;
    const { core } = flow;
    const message = core.makeOutgoingRequestMessage(
      "INVITE",
      contact,
      addressOf(flow.contact(callerId.user)),
      addressOf(flow.contact(username)),
      { fromDisplayName: callerId.displayName.replace(/["\\\r\n]/g, "") },
      [`Contact: ${core.configuration.contact}`, allowHeader],
      offer,
    );
    this.request = core.invite(message, {
      onProgress: () => {
        if (!this.isOver) handlers.rings();
      },
      onAccept: ({ message: response, session, ack }) => {
        const description = bodyOf(response);
        const rejection = offer || !description ? undefined : rejectAll(description);
        const leg = new Leg(flow, session, (body = rejection) => void ack(body && { body }));
        if (!this.isOver && description) {
          this.over();
          handlers.answers({ leg, description });
          return;
        }
        // The phone answered while CANCEL was on its way, or it is a second answer, or it is an answer without description.
        leg.hangUp();
        this.fail(failureOf(488));
      },
      onRedirect: ({ message: { statusCode } }) => this.fail(failureOf(statusCode ?? 302)),
      onReject: ({ message: { statusCode } }) => {
        // sip.js makes a response of its own when the message cannot be sent.
        this.fail(failureOf(flow.closed.aborted ? 408 : (statusCode ?? 500)));
      },
    });
    flow.closed.addEventListener("abort", this.onClosed, { once: true });
    if (flow.closed.aborted) queueMicrotask(this.onClosed);
  }

  /** Stops ringing. `reason` is the value of the Reason header: without it, the phone shows a missed call. */
  cancel(reason?: string): void {
    if (this.isOver) return;
    this.over();
    cancelInvite(this.phone.flow, this.request, reason);
  }

  private readonly onClosed = () => this.fail(failureOf(408));

  private fail(failure: Failure): void {
    if (this.isOver) return;
    this.over();
    this.handlers.fails(failure);
  }

  private over(): void {
    this.isOver = true;
    this.phone.flow.closed.removeEventListener("abort", this.onClosed);
  }
}

/** From and To have no transport parameter (RFC 3261 section 19.1.1). */
function addressOf(uri: URI): URI {
  const address = uri.clone();
  address.clearParams();
  return address;
}
