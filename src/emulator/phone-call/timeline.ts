import { AnswerError } from "./fetch-answer.js";

const MAX_ENTRIES = 10_000;

/** Why a call ended. Simulated calls have only the first four reasons, since their caller waits until the end. */
export type EndReason =
  | "duration"
  | "endpoint hung up"
  | "hangup"
  | "end of document"
  | "caller hung up"
  | "connection lost"
  | "no document";

/** The events of an endpoint. A simulated phone does not decline and cannot be unreachable. */
export type EndpointEvent =
  | "rings"
  | "answers"
  | "stops ringing"
  | "hangs up"
  | "is busy"
  | "is not registered"
  | "does not exist"
  | "declines"
  | "is not available"
  | "cannot take this call"
  | "cannot be reached";

type Event =
  | { readonly event: "runs"; readonly action: string }
  | { readonly event: EndpointEvent; readonly endpoint: string }
  | { readonly event: "refuses"; readonly endpoint: string; readonly status: number }
  | { readonly event: "nobody answers" }
  | { readonly event: "ends"; readonly reason: EndReason };

/** An event, with the seconds since the start of the call. */
export type TimelineEntry = { readonly at: number } & Event;

/** Records the events of a call. `now` returns the seconds since its start, by the clock of the call. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];

  constructor(readonly now: () => number) {}

  /** @throws {AnswerError} when the call has too many events. A call can always end. */
  note(event: Event): void {
    if (this.entries.length >= MAX_ENTRIES && event.event !== "ends") {
      throw new AnswerError([
        `The call would have more than ${MAX_ENTRIES} events. Lower \`loop\`, or use fewer targets or actions.`,
      ]);
    }
    this.entries.push({ at: this.now(), ...event });
  }
}
