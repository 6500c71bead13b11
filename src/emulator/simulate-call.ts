import type { CallDocument } from "./call-document.js";
import { type Phones, ring } from "./ring.js";
import { type EndReason, Timeline, type TimelineEntry } from "./timeline.js";

/** How a call went; times are seconds after it began. */
interface CallCourse {
  readonly timeline: readonly TimelineEntry[];
  readonly endedAt: number;
  readonly reason: EndReason;
}

/**
 * Runs the actions of a document in order, on a clock of its own: a call of two hours takes no time.
 *
 * @throws {TimelineError} when too much would happen
 */
export function simulateCall(document: CallDocument, phones: Phones): CallCourse {
  const timeline = new Timeline();
  const reason = run(document, phones, timeline);
  timeline.note({ event: "ends", reason });
  return { timeline: timeline.entries, endedAt: timeline.now, reason };
}

/**
 * Assumed, since PIOPIY's documents do not say: after a connect that nobody answered the next action runs, after one
 * that was answered the call is over, and every other action takes no time.
 */
function run(document: CallDocument, phones: Phones, timeline: Timeline): EndReason {
  for (const action of document) {
    if (action.action !== "connect") {
      timeline.note({ event: "runs", action: action.action });
      if (action.action === "hangup") return "hangup";
      continue;
    }
    const answered = ring(action, phones, timeline);
    if (answered) return talk(answered, action.duration, timeline);
    timeline.note({ event: "nobody answers" });
  }
  return "end of document";
}

function talk(
  { endpoint, hangsUpAfter = Infinity }: NonNullable<ReturnType<typeof ring>>,
  duration: number,
  timeline: Timeline,
): EndReason {
  timeline.pass(Math.min(hangsUpAfter, duration));
  if (hangsUpAfter >= duration) return "duration";
  timeline.note({ event: "hangs up", endpoint });
  return "endpoint hung up";
}
