import type { Body, IncomingInviteRequest } from "sip.js/lib/core/index.js";
import type { EndReason } from "../phone-call/timeline.js";
import type { Answer, CallerId } from "./callee.js";
import { allowHeader, type Flow } from "./flow.js";
import { Leg } from "./leg.js";
import { type BodyFilter, bodyOf } from "./session-description.js";

/** The side of a call that has dialled. */
export interface Caller {
  readonly id: CallerId;
  /** The session description of the INVITE. Without it, the called phone makes the offer. */
  readonly offer: Body | undefined;
  /** Aborts when the caller leaves before an answer. The reason is the `EndReason` of the call. */
  readonly left: AbortSignal;
  /** Lets the caller hear that a phone rings. */
  ring(): void;
  /**
   * Connects the caller with the phone that has answered. Returns the caller's leg, or undefined when the caller has no phone.
   * Throws when the caller has left.
   */
  accept(answer: Answer, filter: BodyFilter): Leg | undefined;
  /**
   * Ends an unanswered call with a SIP status, 400 to 699, and with the value of a Reason header. Does nothing when the call has
   * ended.
   */
  reject(status: number, reason: string): void;
  /** Aborts `left`. */
  leave(reason: EndReason): void;
}

/** A caller with a phone, which has sent an INVITE. */
export class PhoneCaller implements Caller {
  readonly offer: Body | undefined;
  readonly left: AbortSignal;
  private readonly leaving = new AbortController();
  private isRinging = false;
  private readonly onClosed = () => this.leave("connection lost");

  constructor(
    readonly id: CallerId,
    private readonly flow: Flow,
    private readonly request: IncomingInviteRequest,
  ) {
    this.offer = bodyOf(request.message);
    this.left = this.leaving.signal;
    request.delegate = {
      onCancel: () => {
        request.reject({ statusCode: 487 });
        this.leave("caller hung up");
      },
    };
    flow.closed.addEventListener("abort", this.onClosed, { once: true });
    request.trying();
  }

  ring(): void {
    if (this.isRinging || this.left.aborted) return;
    this.isRinging = true;
    const { session } = this.request.progress({ statusCode: 180, extraHeaders: [allowHeader] });
    // A caller may end an early dialog with BYE instead of CANCEL (RFC 3261 section 15).
    session.delegate = {
      onBye: (bye) => {
        bye.accept();
        this.request.reject({ statusCode: 487 });
        this.leave("caller hung up");
      },
    };
  }

  accept({ leg: callee, description }: Answer, filter: BodyFilter): Leg {
    const { session } = this.request.accept({
      statusCode: 200,
      body: filter(description),
    });
    const leg = new Leg(this.flow, session);
    if (this.offer) callee.acknowledge();
    // The phone made the offer, so the ACK of the caller has the answer to it.
    else leg.onceAcknowledged((body) => callee.acknowledge(body && filter(body)));
    this.stopListening();
    return leg;
  }

  reject(status: number, reason: string): void {
    this.stopListening();
    // The transaction of a response would outlive the others of the flow.
    if (this.flow.closed.aborted) return;
    try {
      this.request.reject({ statusCode: status, extraHeaders: [`Reason: ${reason}`] });
    } catch {
      // The call was answered or cancelled.
    }
  }

  leave(reason: EndReason): void {
    this.stopListening();
    this.leaving.abort(reason);
  }

  private stopListening(): void {
    this.flow.closed.removeEventListener("abort", this.onClosed);
  }
}

/** A caller without a phone: a client of the control routes. The phones hear nothing, since all media is rejected. */
export class SilentCaller implements Caller {
  readonly offer = undefined;
  readonly left: AbortSignal;
  private readonly leaving = new AbortController();

  constructor(readonly id: CallerId) {
    this.left = this.leaving.signal;
  }

  ring(): void {}

  accept({ leg }: Answer): undefined {
    leg.acknowledge();
  }

  reject(): void {}

  leave(reason: EndReason): void {
    this.leaving.abort(reason);
  }
}
