import type {
  Body,
  IncomingInviteRequest,
  IncomingRequest,
  OutgoingInviteRequest,
  Session,
} from "sip.js/lib/core/index.js";
import { SessionState } from "sip.js/lib/core/index.js";
import { cancelInvite } from "./cancel-invite.js";
import { allowHeader, type Flow } from "./flow.js";
import { type BodyFilter, bodyOf, rejectAll } from "./session-description.js";

/** The time in which a phone must acknowledge an accepted re-INVITE, in milliseconds: 64 times T1 of RFC 3261. */
const ACK_TIMEOUT_MS = 32_000;

/** How a phone left its call: with BYE, or because its connection broke or it did not acknowledge the answer. */
export type Departure = "hung up" | "lost";

/**
 * The established dialog with one phone of a call: one half of the back-to-back user agent. Relays re-INVITE and INFO to the other
 * leg, with their responses.
 */
export class Leg {
  /** Resolves when the phone leaves the call, but not when `hangUp` ends it. */
  readonly departure: Promise<Departure>;
  private other: Leg | undefined;
  private filter: BodyFilter = (body) => body;
  /** Passes on the ACK of this phone, when the other phone waits for a session description in it. */
  private onAcknowledged: ((answer: Body | undefined) => void) | undefined;
  /** The requests of this phone that have no final response yet. */
  private readonly pending = new Set<IncomingRequest>();
  /** Cancels the re-INVITE to the other phone that stands for the one of this phone. */
  private cancelRelayed: (() => void) | undefined;
  /** Runs while this phone must send the ACK for an accepted re-INVITE. */
  private ackTimer: NodeJS.Timeout | undefined;
  /** The re-INVITEs of the other phone that wait for this ACK. */
  private onceReady: (() => void)[] = [];
  private isHangingUp = false;
  private readonly leave: (departure: Departure) => void;
  private readonly stopListening = new AbortController();

  /** @param ack sends the ACK for the answer of this phone; only the leg to a called phone has it */
  constructor(
    private readonly flow: Flow,
    private readonly session: Session,
    private ack?: (description?: Body) => void,
  ) {
    let leave = (_departure: Departure) => {};
    this.departure = new Promise((resolve) => {
      leave = resolve;
    });
    this.leave = (departure) => {
      this.finish();
      leave(departure);
    };
    const onClosed = () => this.leave("lost");
    const { signal } = this.stopListening;
    if (flow.closed.aborted) onClosed();
    else flow.closed.addEventListener("abort", onClosed, { once: true, signal });
    session.delegate = {
      onBye: (request) => {
        request.accept();
        this.leave("hung up");
      },
      onAck: ({ message }) => {
        const acknowledged = this.onAcknowledged;
        this.onAcknowledged = undefined;
        acknowledged?.(bodyOf(message));
        clearTimeout(this.ackTimer);
        this.ackTimer = undefined;
        if (this.isHangingUp) this.bye();
        else for (const send of this.onceReady.splice(0)) send();
      },
      onAckTimeout: () => this.giveUp(),
      onInvite: (request) => this.relayInvite(request),
      onInfo: (request) => this.relayInfo(request),
    };
  }

  /** Connects two legs. Without another leg, the phone is in a call with a silent caller. */
  connect(other: Leg | undefined, filter: BodyFilter): void {
    this.other = other;
    this.filter = filter;
  }

  /** Acknowledges the answer of a called phone, with a session description when the phone made the offer. */
  acknowledge(description?: Body): void {
    attempt(() => this.ack?.(description));
    this.ack = undefined;
  }

  /** Calls back once, with the body of the next ACK of this phone. */
  onceAcknowledged(callback: (answer: Body | undefined) => void): void {
    this.onAcknowledged = callback;
  }

  /** Ends the dialog with BYE, unless it has ended. */
  hangUp(): void {
    if (this.isHangingUp) return;
    this.isHangingUp = true;
    this.finish();
    // BYE follows the ACK, even when the caller has not sent a session description for it.
    this.acknowledge();
    // RFC 3261 allows no BYE to a caller that has not acknowledged the answer yet: onAck or onAckTimeout sends it.
    if (this.session.sessionState === SessionState.Confirmed) this.bye();
  }

  /** Whether the phone or the SBC has ended the call. A phone may still send requests before its ACK. */
  private get isOver(): boolean {
    return this.stopListening.signal.aborted;
  }

  private finish(): void {
    this.stopListening.abort();
    clearTimeout(this.ackTimer);
    this.cancelRelayed?.();
    this.cancelRelayed = undefined;
    for (const request of this.pending) this.respond(request, () => request.reject({ statusCode: 487 }));
  }

  /** Ends the dialog of a phone that does not acknowledge an answer. */
  private giveUp(): void {
    this.bye();
    this.leave("lost");
  }

  /** Sends the final response to a request, unless it has one. */
  private respond(request: IncomingRequest, send: () => unknown): void {
    if (this.pending.delete(request)) attempt(send);
  }

  private bye(): void {
    if (this.session.sessionState !== SessionState.Terminated) attempt(() => this.session.bye());
  }

  private relayInvite(request: IncomingInviteRequest): void {
    if (this.isOver) {
      request.reject({ statusCode: 481 });
      return;
    }
    this.pending.add(request);
    const finish = (send: () => void) => {
      if (this.pending.has(request)) this.cancelRelayed = undefined;
      this.respond(request, send);
    };
    const contact = `Contact: ${this.flow.core.configuration.contact}`;
    const accept = (body: Body | undefined) =>
      finish(() => {
        request.accept({ statusCode: 200, extraHeaders: [contact, allowHeader], ...(body && { body }) });
        this.ackTimer = setTimeout(() => this.giveUp(), ACK_TIMEOUT_MS);
      });
    const reject = (statusCode: number) => finish(() => request.reject({ statusCode }));

    const offer = bodyOf(request.message);
    if (!this.other) {
      if (offer) accept(rejectAll(offer));
      else reject(488);
      return;
    }
    request.trying();
    request.delegate = {
      onCancel: () => {
        this.cancelRelayed?.();
        reject(487);
      },
    };
    const delegate: OutgoingInviteRequest["delegate"] = {
      onAccept: ({ message, ack }) => {
        const body = bodyOf(message);
        if (!this.pending.has(request)) attempt(() => ack(!offer && body ? { body: rejectAll(body) } : {}));
        else if (offer) attempt(() => ack());
        else {
          this.onAcknowledged = (answer) => attempt(() => ack(answer && { body: this.filter(answer) }));
        }
        accept(body && this.filter(body));
      },
      onReject: ({ message: { statusCode = 500 } }) => reject(isChallenge(statusCode) ? 403 : statusCode),
      onRedirect: () => reject(488),
    };
    const { other } = this;
    other.whenReady(() => {
      if (!this.pending.has(request)) return;
      const relayed = other.reinvite(offer && this.filter(offer), delegate);
      if (relayed) this.cancelRelayed = () => cancelInvite(other.flow, relayed);
      // Both phones change the session at the same time (glare, RFC 3261 section 14.1).
      else reject(491);
    });
  }

  /**
   * Calls back when no ACK of this phone is on its way. Without this, a phone that sends a re-INVITE right after that of the other
   * phone would get 491.
   */
  private whenReady(send: () => void): void {
    if (this.ackTimer || this.session.sessionState === SessionState.AckWait) this.onceReady.push(send);
    else send();
  }

  private reinvite(
    offer: Body | undefined,
    delegate: OutgoingInviteRequest["delegate"],
  ): OutgoingInviteRequest | undefined {
    const contact = `Contact: ${this.flow.core.configuration.contact}`;
    const options = { extraHeaders: [contact, allowHeader], ...(offer && { body: offer }) };
    try {
      return this.session.invite(delegate, options);
    } catch {
      return undefined;
    }
  }

  private relayInfo(request: IncomingRequest): void {
    if (this.isOver) {
      request.reject({ statusCode: 481 });
      return;
    }
    if (!this.other) {
      request.accept();
      return;
    }
    this.pending.add(request);
    const body = bodyOf(request.message);
    const infoPackage = request.message.getHeader("Info-Package");
    const options = {
      extraHeaders: infoPackage === undefined ? [] : [`Info-Package: ${infoPackage}`],
      ...(body && { body }),
    };
    const { session } = this.other;
    const reject = (statusCode: number) => this.respond(request, () => request.reject({ statusCode }));
    const delegate = {
      onAccept: () => this.respond(request, () => request.accept()),
      onReject: ({ message: { statusCode = 500 } }: { message: { statusCode?: number | undefined } }) =>
        reject(isChallenge(statusCode) ? 403 : statusCode),
      onRedirect: () => reject(500),
    };
    if (!attempt(() => session.info(delegate, options))) reject(481);
  }
}

/** The other phone cannot answer a challenge for credentials, since it does not see it. */
function isChallenge(statusCode: number): boolean {
  return statusCode === 401 || statusCode === 407;
}

/** Returns whether a message could be sent. sip.js throws when the dialog or the transaction has ended in the meantime. */
function attempt(send: () => unknown): boolean {
  try {
    send();
    return true;
  } catch {
    return false;
  }
}
