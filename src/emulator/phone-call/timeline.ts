import { AnswerError } from "./fetch-answer.js";

const MAX_ENTRIES = 10_000;

/** Why a call ended. */
export type EndReason = "duration" | "endpoint hung up" | "hangup" | "end of document";

type Event =
  | { readonly event: "runs"; readonly action: string }
  | {
      readonly event:
        | "rings"
        | "answers"
        | "stops ringing"
        | "hangs up"
        | "is busy"
        | "is not registered"
        | "does not exist";
      readonly endpoint: string;
    }
  | { readonly event: "nobody answers" }
  | { readonly event: "ends"; readonly reason: EndReason };

/** An event, and the seconds since the call began. */
export type TimelineEntry = { readonly at: number } & Event;

/** Records the events of a call, by a simulated clock. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  private seconds = 0;

  get now(): number {
    return this.seconds;
  }

  pass(seconds: number): void {
    this.seconds += seconds;
  }

  /** @throws {AnswerError} when the call has too many events */
  note(event: Event): void {
    if (this.entries.length === MAX_ENTRIES) {
      throw new AnswerError([
        `The call would be more than ${MAX_ENTRIES} events long. Lower loop, or name fewer targets or actions.`,
      ]);
    }
    this.entries.push({ at: this.seconds, ...event });
  }
}
