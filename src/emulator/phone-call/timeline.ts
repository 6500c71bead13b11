const MOST_ENTRIES = 10_000;

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

/** Something that happened, so many seconds after the call began. */
export type TimelineEntry = { readonly at: number } & Event;

/** A document whose call would fill more than anybody reads. */
export class TimelineError extends Error {
  constructor() {
    super(
      `The call would be more than ${MOST_ENTRIES} events long. Lower loop, or name fewer targets or actions.`,
    );
  }
}

/** What happened in a call, by a clock that stands still until it is told to go on. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  private seconds = 0;

  get now(): number {
    return this.seconds;
  }

  pass(seconds: number): void {
    this.seconds += seconds;
  }

  /** @throws {TimelineError} when there is no room */
  note(event: Event): void {
    if (this.entries.length === MOST_ENTRIES) throw new TimelineError();
    this.entries.push({ at: this.seconds, ...event });
  }
}
