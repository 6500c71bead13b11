import type { Body } from "sip.js/lib/core/index.js";
import type { Endpoints } from "../endpoints.js";
import type { ConnectAction } from "../phone-call/pcmo-schema.js";
import { ringGroups } from "../phone-call/ring-groups.js";
import type { Timeline } from "../phone-call/timeline.js";
import { type Answer, Callee, type CallerId } from "./callee.js";
import type { Caller } from "./caller.js";
import type { Failure } from "./failure.js";
import type { Phone, Registrar } from "./registrar.js";
import { unchanged, withoutVideo } from "./session-description.js";

const ANSWERED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';

/** The failure of an endpoint with several phones is the first of these that one of its phones has. */
const failuresByRank: readonly Failure["event"][] = [
  "declines",
  "is busy",
  "cannot take this call",
  "is not available",
  "refuses",
  "cannot be reached",
];

interface RingParts {
  readonly endpoints: Endpoints;
  readonly registrar: Registrar;
  readonly caller: Caller;
  readonly timeline: Timeline;
}

/** The phone that has answered, and the endpoint that it belongs to. */
export interface AnsweredConnect extends Answer {
  readonly username: string;
}

/**
 * Rings the targets of a connect action until a phone answers: one endpoint after another, or all at the same time, in `loop`
 * rounds. Returns undefined when nobody answers, or when the caller leaves.
 *
 * @throws {AnswerError} when the call has too many events
 */
export async function ring(connect: ConnectAction, parts: RingParts): Promise<AnsweredConnect | undefined> {
  for (let round = 1; round <= connect.loop; round += 1) {
    for (const group of ringGroups(connect)) {
      const answered = await new Group(group, connect, parts).ring();
      if (answered || parts.caller.left.aborted) return answered;
    }
  }
  return undefined;
}

/** Returns the filter for the session descriptions of a connect action. Without a call type, video is assumed to be allowed. */
export function filterOf({ call_type }: ConnectAction) {
  return call_type === "audio" ? withoutVideo : unchanged;
}

/** Rings endpoints at the same time, for `timeout` seconds. */
class Group {
  private readonly targets: Target[] = [];
  private readonly result: Promise<AnsweredConnect | undefined>;
  private isOver = false;
  private finish: (answered?: AnsweredConnect) => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor(
    private readonly usernames: readonly string[],
    private readonly connect: ConnectAction,
    private readonly parts: RingParts,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.finish = (answered) => {
        // The phone answered in the moment of another answer, or of the end of ringing.
        if (this.isOver) answered?.leg.hangUp();
        this.isOver = true;
        resolve(answered);
      };
      this.fail = (error) => {
        this.isOver = true;
        reject(error);
      };
    });
  }

  async ring(): Promise<AnsweredConnect | undefined> {
    const { left } = this.parts.caller;
    const stop = () => this.finish();
    let answered: AnsweredConnect | undefined;
    const timer = setTimeout(stop, this.connect.timeout * 1000);
    left.addEventListener("abort", stop, { once: true });
    const unsubscribe = this.parts.endpoints.onChange(() => this.stopRemoved());
    try {
      this.start();
      answered = await this.result;
      this.stopRinging(answered);
      return answered;
    } catch (error) {
      // The call has too many events.
      answered?.leg.hangUp();
      throw error;
    } finally {
      clearTimeout(timer);
      unsubscribe();
      left.removeEventListener("abort", stop);
      for (const target of this.targets) target.cancel();
    }
  }

  private start(): void {
    const { endpoints, registrar, caller, timeline } = this.parts;
    const { from } = this.connect;
    const callerId = from === undefined ? caller.id : { user: String(from), displayName: String(from) };
    const offer = caller.offer && filterOf(this.connect)(caller.offer);
    for (const username of this.usernames) {
      const phones = registrar.phonesOf(username);
      if (!endpoints.find(username)) timeline.note({ event: "does not exist", endpoint: username });
      else if (phones.length === 0) timeline.note({ event: "is not registered", endpoint: username });
      else {
        const target = new Target(username, {
          rings: () => this.rings(target),
          answers: (answer) => this.finish({ username, ...answer }),
          fails: (failure) => this.fails(target, failure),
        });
        this.targets.push(target);
        target.invite(phones, callerId, offer);
      }
    }
    if (this.targets.length === 0) this.finish();
  }

  private rings({ username }: Target): void {
    this.parts.caller.ring();
    this.note({ event: "rings", endpoint: username });
  }

  private fails({ username }: Target, { event, status }: Failure): void {
    this.note(event === "refuses" ? { event, endpoint: username, status } : { event, endpoint: username });
    if (this.targets.every(({ isOver }) => isOver)) this.finish();
  }

  /** Stops ringing endpoints that were removed meanwhile. */
  private stopRemoved(): void {
    for (const target of this.targets) {
      if (target.isOver || this.parts.endpoints.find(target.username)) continue;
      target.cancel();
      this.fails(target, { event: "does not exist", status: 404 });
    }
  }

  private stopRinging(answered: AnsweredConnect | undefined): void {
    const { timeline, caller } = this.parts;
    if (answered) timeline.note({ event: "answers", endpoint: answered.username });
    for (const target of this.targets) {
      const wasOver = target.isOver;
      target.cancel(answered && ANSWERED_ELSEWHERE);
      if (wasOver || target.username === answered?.username) continue;
      if (target.hasRung) timeline.note({ event: "stops ringing", endpoint: target.username });
      else if (!answered && !caller.left.aborted) {
        timeline.note({ event: "cannot be reached", endpoint: target.username });
      }
    }
  }

  /** Handlers run inside sip.js, so that an exception would not reach the call. */
  private note(event: Parameters<Timeline["note"]>[0]): void {
    try {
      this.parts.timeline.note(event);
    } catch (error) {
      this.fail(error);
    }
  }
}

interface TargetHandlers {
  rings(): void;
  answers(answer: Answer): void;
  fails(failure: Failure): void;
}

/** An endpoint that is called, on all its phones. */
class Target {
  hasRung = false;
  isOver = false;
  private callees: readonly Callee[] = [];
  private readonly failures: Failure[] = [];

  constructor(
    readonly username: string,
    private readonly handlers: TargetHandlers,
  ) {}

  invite(phones: readonly Phone[], callerId: CallerId, offer: Body | undefined): void {
    const { answers } = this.handlers;
    this.callees = phones.map(
      (phone) =>
        new Callee(phone, callerId, offer, {
          rings: () => this.rings(),
          answers,
          fails: (failure) => this.phoneFails(failure),
        }),
    );
  }

  cancel(reason?: string): void {
    this.isOver = true;
    for (const callee of this.callees) callee.cancel(reason);
  }

  private rings(): void {
    if (this.hasRung || this.isOver) return;
    this.hasRung = true;
    this.handlers.rings();
  }

  private phoneFails(failure: Failure): void {
    this.failures.push(failure);
    // A 6xx response is for all phones of a user (RFC 3261 section 16.7).
    if (failure.status < 600 && this.failures.length < this.callees.length) return;
    this.cancel(`SIP;cause=${failure.status};text="${failure.event}"`);
    const [best = failure] = this.failures.toSorted((one, other) => rankOf(one) - rankOf(other));
    this.handlers.fails(best);
  }
}

function rankOf({ event }: Failure): number {
  return failuresByRank.indexOf(event);
}
