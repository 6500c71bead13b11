import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Endpoints } from "../endpoints.js";
import { AnswerError } from "../phone-call/fetch-answer.js";
import type { CallDocument, ConnectAction } from "../phone-call/pcmo-schema.js";
import { type EndReason, Timeline } from "../phone-call/timeline.js";
import type { Caller } from "./caller.js";
import { statusOf } from "./failure.js";
import type { Leg } from "./leg.js";
import type { Registrar } from "./registrar.js";
import { type AnsweredConnect, filterOf, ring } from "./ring.js";

/** What a call does now. */
type CallState = "fetching" | "ringing" | "talking" | "ended";

const never = new Promise<never>(() => {});

/** Why an unanswered call is over, with the SIP status for the caller. */
const endStatuses: Readonly<Record<EndReason, number>> = {
  hangup: 603,
  "end of document": 480,
  "no document": 404,
  "caller hung up": 487,
  "connection lost": 503,
  duration: 480,
  "endpoint hung up": 480,
};

export interface CallParts {
  readonly endpoints: Endpoints;
  readonly registrar: Registrar;
  readonly caller: Caller;
  /** A phone number, or the user part of a SIP URI that is no phone number. */
  readonly from: number | string;
  readonly to: number | string;
  readonly documentOf: DocumentSource;
}

export interface CallResult {
  readonly reason: EndReason;
  /** The document as the answer URL sent it. */
  readonly sent: unknown;
}

/** Returns the document of a call and what the answer URL sent, or undefined when nothing has this number. */
export type DocumentSource = (
  callId: string,
  signal: AbortSignal,
) => Promise<{ readonly sent: unknown; readonly document: CallDocument } | undefined>;

/** A call in real time: gets its document, rings the phones, connects the caller with the first one that answers, and ends. */
export class LiveCall {
  readonly callId = randomUUID();
  readonly timeline: Timeline;
  state: CallState = "fetching";
  /** The problems of the document, when the call ended because of them. */
  problem: AnswerError | undefined;
  private sent: unknown;

  constructor(private readonly parts: CallParts) {
    const start = performance.now();
    this.timeline = new Timeline(() => Math.round(performance.now() - start) / 1000);
  }

  get to(): number | string {
    return this.parts.to;
  }

  get from(): number | string {
    return this.parts.from;
  }

  /** Runs the call to its end. Never rejects. */
  async run(): Promise<CallResult> {
    const { caller } = this.parts;
    let reason: EndReason;
    let isInvalid = false;
    try {
      reason = await this.execute();
    } catch (error) {
      reason = "no document";
      isInvalid = true;
      if (error instanceof AnswerError) this.problem = error;
    }
    if (caller.left.aborted && this.state !== "talking") {
      reason = caller.left.reason;
      this.problem = undefined;
      isInvalid = false;
    }
    const status = isInvalid ? 500 : endStatuses[reason];
    caller.reject(status, this.reasonOf(reason, status));
    this.state = "ended";
    this.timeline.note({ event: "ends", reason });
    const { sent } = this;
    // The list of ended calls does not show it.
    this.sent = undefined;
    return { reason, sent };
  }

  /** Ends the call because the SBC closes. */
  end(): void {
    this.parts.caller.leave("connection lost");
  }

  /**
   * Returns why the call was not answered as the value of a Reason header, since the status alone does not say it: what happened at
   * the endpoint that was called last, or why the document ended.
   */
  private reasonOf(reason: EndReason, status: number): string {
    const last = this.timeline.entries.findLast((entry) => "endpoint" in entry);
    if (reason !== "end of document" || !last) return `SIP;cause=${status};text="${reason}"`;
    const cause = last.event === "refuses" ? last.status : statusOf(last.event);
    return `SIP;cause=${cause};text="${last.event}";endpoint="${encodeURIComponent(last.endpoint)}"`;
  }

  private async execute(): Promise<EndReason> {
    const { caller, documentOf } = this.parts;
    const answer = await documentOf(this.callId, caller.left);
    if (!answer) return "no document";
    this.sent = answer.sent;
    this.state = "ringing";
    for (const action of answer.document) {
      if (caller.left.aborted) break;
      if (action.action !== "connect") {
        this.timeline.note({ event: "runs", action: action.action });
        if (action.action === "hangup") return "hangup";
        continue;
      }
      const answered = await ring(action, { ...this.parts, timeline: this.timeline });
      if (answered) return this.talk(answered, action);
      if (!caller.left.aborted) this.timeline.note({ event: "nobody answers" });
    }
    return "end of document";
  }

  /** Connects the caller with the phone that has answered, until one of them leaves or the duration is over. */
  private async talk(answered: AnsweredConnect, action: ConnectAction): Promise<EndReason> {
    const { caller } = this.parts;
    const { leg: called, username } = answered;
    const filter = filterOf(action);
    let calling: Leg | undefined;
    try {
      caller.left.throwIfAborted();
      calling = caller.accept(answered, filter);
    } catch {
      // The caller has left in the moment of the answer.
      called.hangUp();
      return caller.left.aborted ? caller.left.reason : "connection lost";
    }
    calling?.connect(called, filter);
    called.connect(calling, filter);
    this.state = "talking";

    const timer = new AbortController();
    const reason = await Promise.race<EndReason>([
      called.departure.then((how) => (how === "lost" ? "connection lost" : "endpoint hung up")),
      calling?.departure.then((how) => (how === "lost" ? "connection lost" : "caller hung up")) ?? never,
      once(caller.left, "abort", { signal: timer.signal }).then(
        () => caller.left.reason,
        () => never,
      ),
      setTimeout(action.duration * 1000, "duration" as const, { signal: timer.signal }).catch(() => never),
    ]);
    timer.abort();
    calling?.hangUp();
    called.hangUp();
    if (reason === "endpoint hung up") this.timeline.note({ event: "hangs up", endpoint: username });
    return reason;
  }
}
