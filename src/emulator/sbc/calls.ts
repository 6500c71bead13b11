import type { IncomingInviteRequest } from "sip.js/lib/core/index.js";
import type { Endpoints } from "../endpoints.js";
import { fetchAnswer, formatWebhook, type WebhookFormat } from "../phone-call/fetch-answer.js";
import { pcmoSchema } from "../phone-call/pcmo-schema.js";
import { PhoneCaller, SilentCaller } from "./caller.js";
import type { Authentication } from "./digest.js";
import type { Flow } from "./flow.js";
import { type CallParts, type CallResult, type DocumentSource, LiveCall } from "./live-call.js";
import { Numbers, phoneNumberIn } from "./numbers.js";
import type { Registrar } from "./registrar.js";

/** Calls that can be in progress at the same time. */
const MAX_CALLS = 200;
const MAX_ENDED_CALLS = 100;
const LOOPBACK = /^127\.|^::1$/;

interface CallsParts {
  readonly endpoints: Endpoints;
  readonly registrar: Registrar;
  readonly authentication: Authentication;
  /** Milliseconds to wait for the response of an answer URL. */
  readonly answerTimeoutMs: number;
}

/** Who calls, and who is called: a phone number, or the name of an endpoint. */
type CallIds = Pick<CallParts, "from" | "to">;

/** A call from a client of the control routes. */
interface PlacedCall {
  readonly from: number;
  readonly to: number;
  readonly answerUrl: string;
  readonly webhook: WebhookFormat;
}

/**
 * The calls of the phones: who may call, what is called, and the calls in progress. Remembers the last 100 calls that have ended.
 */
export class Calls {
  readonly numbers = new Numbers();
  private readonly inProgress = new Map<LiveCall, Promise<CallResult>>();
  /** The calls in progress and the remembered ones, newest first. */
  private calls: readonly LiveCall[] = [];

  constructor(private readonly parts: CallsParts) {}

  /**
   * Handles the INVITE of a phone. An endpoint must prove its password. A caller on this machine whose name is a phone number stands
   * for the telephone network. All others are rejected.
   */
  invite(flow: Flow, request: IncomingInviteRequest): void {
    const { from, ruri, body, headers } = request.message;
    const user = from.uri.user ?? "";
    if (!this.mayCall(user, flow, request)) return;
    if (body && headers["Content-Type"] === undefined) {
      request.reject({ statusCode: 400, reasonPhrase: "Missing Content-Type Header" });
      return;
    }
    if (this.inProgress.size >= MAX_CALLS) {
      request.reject({ statusCode: 503, extraHeaders: ["Retry-After: 10"] });
      return;
    }
    const called = ruri?.user ?? "";
    const caller = new PhoneCaller({ user, displayName: from.displayName || user }, flow, request);
    const ids = { from: phoneNumberIn(user) ?? user, to: phoneNumberIn(called) ?? called };
    void this.start({ ...ids, caller, documentOf: this.documentOf(called, ids) });
  }

  /**
   * Places a call from a client of the control routes, which rings registered phones. Returns undefined when the maximum number of
   * calls is in progress. `hangUp` ends the call as its caller.
   */
  place({ answerUrl, webhook, ...ids }: PlacedCall) {
    if (this.inProgress.size >= MAX_CALLS) return undefined;
    const number = String(ids.from);
    const caller = new SilentCaller({ user: number, displayName: number });
    const started = this.start({ ...ids, caller, documentOf: this.answerOf(answerUrl, webhook, ids) });
    return { ...started, hangUp: () => caller.leave("caller hung up") };
  }

  /** Lists the calls, newest first. */
  list() {
    return this.calls.map(({ callId, to, from, state, timeline, problem }) => ({
      callId,
      to,
      from,
      state,
      timeline: timeline.entries,
      ...(problem && { reasons: problem.reasons }),
    }));
  }

  /** Removes the numbers and the calls that have ended. Calls in progress continue. */
  reset(): void {
    this.numbers.clear();
    this.calls = this.calls.filter((call) => this.inProgress.has(call));
  }

  /** Ends all calls. */
  async close(): Promise<void> {
    for (const call of this.inProgress.keys()) call.end();
    await Promise.all(this.inProgress.values());
  }

  private start(parts: Omit<CallParts, "endpoints" | "registrar">) {
    const call = new LiveCall({ ...this.parts, ...parts });
    const ended = call.run();
    this.calls = [call, ...this.calls];
    this.inProgress.set(call, ended);
    void ended.then(() => {
      this.inProgress.delete(call);
      const surplus = this.calls.filter((other) => !this.inProgress.has(other)).slice(MAX_ENDED_CALLS);
      this.calls = this.calls.filter((other) => !surplus.includes(other));
    });
    return { call, ended };
  }

  /** Rejects the request unless its sender may call as this user. */
  private mayCall(user: string, flow: Flow, request: IncomingInviteRequest): boolean {
    const { endpoints, authentication } = this.parts;
    if (endpoints.find(user)) {
      const username = authentication.authenticate(flow, request, "proxy");
      if (username === undefined) return false;
      if (username === user) return true;
      forbid(request, "From Is Not the Authenticated Endpoint");
    } else if (!/^\+?\d+$/.test(user)) forbid(request, "From Is Not an Endpoint");
    else if (isOnThisMachine(flow)) return true;
    else forbid(request, "Calls from Numbers Must Come from the Same Machine");
    return false;
  }

  /** Returns the source of the document for a call to an endpoint or to a number. */
  private documentOf(called: string, ids: CallIds): DocumentSource {
    // PIOPIY's documentation does not say what happens when an endpoint is called by its name. It is assumed to ring.
    if (this.parts.endpoints.find(called)) {
      const sent = [{ action: "connect", call: [{ type: "sip", user: called }] }];
      return async () => ({ sent, document: pcmoSchema.parse(sent) });
    }
    const answerUrl = typeof ids.to === "number" ? this.numbers.answerUrlOf(ids.to) : undefined;
    return answerUrl === undefined ? async () => undefined : this.answerOf(answerUrl, "strings", ids);
  }

  private answerOf(answerUrl: string, format: WebhookFormat, ids: CallIds): DocumentSource {
    return (callId, left) =>
      fetchAnswer(
        answerUrl,
        formatWebhook({ ...ids, callId, time: Date.now() }, format),
        this.parts.answerTimeoutMs,
        left,
      );
  }
}

function isOnThisMachine({ wire: { remoteAddress, localAddress } }: Flow): boolean {
  return LOOPBACK.test(remoteAddress) || remoteAddress === localAddress;
}

function forbid(request: IncomingInviteRequest, reasonPhrase: string): void {
  request.reject({ statusCode: 403, reasonPhrase });
}
