import { z } from "zod";
import { expected, fields } from "./fields.js";
import type { CallDocument, ConnectAction } from "./pcmo-schema.js";
import { ringGroups } from "./ring-groups.js";
import { type EndReason, Timeline, type TimelineEntry } from "./timeline.js";

const DAY = 86_400;

/**
 * The behaviour of an endpoint's phone. `answersAfter` is the number of seconds from ringing to the answer. `hangsUpAfter` is the
 * number of seconds from the answer to the hangup. A phone can also be busy, never answer, or not be registered.
 */
export const phoneBehaviourSchema = z.union(
  [
    z.strictObject({
      answersAfter: fields.wholeNumber(0, DAY, "seconds"),
      hangsUpAfter: fields.wholeNumber(1, DAY, "seconds").optional(),
    }),
    z.enum(["busy", "never", "unregistered"]),
  ],
  {
    error: expected(
      '"busy", "never", "unregistered", or an object such as {"answersAfter": 3, "hangsUpAfter": 60} (seconds; "hangsUpAfter" is optional)',
    ),
  },
);

export type PhoneBehaviour = z.infer<typeof phoneBehaviourSchema>;

class SimulatedClock {
  seconds = 0;

  pass(seconds: number): void {
    this.seconds += seconds;
  }
}

/** Returns the behaviour of the phone of a username, or undefined when there is no such endpoint. */
type BehaviourOf = (username: string) => PhoneBehaviour | undefined;

/** A ringing phone. Times are in seconds; Infinity means never. */
interface RingingPhone {
  readonly endpoint: string;
  readonly answersAfter: number;
  readonly hangsUpAfter: number;
}

/** The events and the end of a call. Times are in seconds since its start. */
interface SimulatedCall {
  readonly timeline: readonly TimelineEntry[];
  readonly endedAt: number;
  readonly reason: EndReason;
}

/**
 * Simulates the actions of a document in order. The clock is simulated too, so a call of two hours takes no time.
 *
 * @throws {AnswerError} when the call has too many events
 */
export function simulateCall(document: CallDocument, behaviourOf: BehaviourOf): SimulatedCall {
  const clock = new SimulatedClock();
  const timeline = new Timeline(() => clock.seconds);
  const reason = run(document, behaviourOf, timeline, clock);
  timeline.note({ event: "ends", reason });
  return { timeline: timeline.entries, endedAt: clock.seconds, reason };
}

/**
 * Runs the actions and returns the reason of the end. PIOPIY's documentation does not specify some details. The emulator assumes
 * the following. If no target answers a connect action, the next action runs. If a target answers, the call ends after the
 * conversation, and no further action runs. Every action other than connect takes no time.
 */
function run(
  document: CallDocument,
  behaviourOf: BehaviourOf,
  timeline: Timeline,
  clock: SimulatedClock,
): EndReason {
  for (const action of document) {
    if (action.action !== "connect") {
      timeline.note({ event: "runs", action: action.action });
      if (action.action === "hangup") return "hangup";
      continue;
    }
    const answered = ring(action, behaviourOf, timeline, clock);
    if (answered) return talk(answered, action.duration, timeline, clock);
    timeline.note({ event: "nobody answers" });
  }
  return "end of document";
}

function talk(
  { endpoint, hangsUpAfter }: RingingPhone,
  duration: number,
  timeline: Timeline,
  clock: SimulatedClock,
): EndReason {
  clock.pass(Math.min(hangsUpAfter, duration));
  if (hangsUpAfter >= duration) return "duration";
  timeline.note({ event: "hangs up", endpoint });
  return "endpoint hung up";
}

/**
 * Rings the targets of a connect action until one answers: one after another, or all at the same time. The emulator assumes that
 * each of the `loop` attempts rings the whole list, and that a target that cannot ring takes no time.
 */
function ring(
  connect: ConnectAction,
  behaviourOf: BehaviourOf,
  timeline: Timeline,
  clock: SimulatedClock,
): RingingPhone | undefined {
  for (let attempt = 1; attempt <= connect.loop; attempt += 1) {
    for (const group of ringGroups(connect)) {
      const answered = ringGroup(group, connect.timeout, behaviourOf, timeline, clock);
      if (answered) return answered;
    }
  }
  return undefined;
}

/**
 * Rings phones at the same time. The phone that answers first, before the timeout, gets the call. If several phones answer in the
 * same second, the first of them in the list gets it.
 */
function ringGroup(
  usernames: readonly string[],
  timeout: number,
  behaviourOf: BehaviourOf,
  timeline: Timeline,
  clock: SimulatedClock,
): RingingPhone | undefined {
  const ringing = usernames.flatMap((username) => start(username, behaviourOf(username), timeline) ?? []);
  if (ringing.length === 0) return undefined;
  const soonest = Math.min(...ringing.map(({ answersAfter }) => answersAfter));
  const winner = soonest < timeout ? ringing.find(({ answersAfter }) => answersAfter === soonest) : undefined;

  clock.pass(winner ? soonest : timeout);
  if (winner) timeline.note({ event: "answers", endpoint: winner.endpoint });
  for (const phone of ringing) {
    if (phone !== winner) timeline.note({ event: "stops ringing", endpoint: phone.endpoint });
  }
  return winner;
}

function start(
  endpoint: string,
  behaviour: PhoneBehaviour | undefined,
  timeline: Timeline,
): RingingPhone | undefined {
  const event = firstEvent(behaviour);
  timeline.note({ event, endpoint });
  if (event !== "rings") return undefined;
  const { answersAfter, hangsUpAfter = Infinity } =
    typeof behaviour === "object" ? behaviour : { answersAfter: Infinity };
  return { endpoint, answersAfter, hangsUpAfter };
}

function firstEvent(behaviour: PhoneBehaviour | undefined) {
  if (behaviour === undefined) return "does not exist";
  if (behaviour === "busy") return "is busy";
  if (behaviour === "unregistered") return "is not registered";
  return "rings";
}
