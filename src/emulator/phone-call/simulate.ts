import { z } from "zod";
import { expected, fields } from "./fields.js";
import type { CallDocument, ConnectAction } from "./pcmo-schema.js";
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

/** What the phone of a username does when it is called; undefined when there is no such endpoint. */
export type Phones = (username: string) => Behaviour | undefined;

/** A phone that somebody has taken up. */
interface Answered {
  readonly endpoint: string;
  readonly hangsUpAfter: number | undefined;
}

interface Ringing extends Answered {
  readonly answersAfter: number;
}

/**
 * Rings the targets of a connect action until one answers: one after another, or all at once. Assumed: a try goes
 * through the whole list, and a target that cannot ring takes no time.
 */
function ring(connect: ConnectAction, phones: Phones, timeline: Timeline): Answered | undefined {
  const usernames = (connect.call ?? connect.connect ?? []).map(({ user }) => user);
  // Assumed: an endpoint that a group names twice rings once.
  const turns = connect.ring_type === "group" ? [[...new Set(usernames)]] : usernames.map((name) => [name]);
  for (let attempt = 1; attempt <= connect.loop; attempt += 1) {
    for (const together of turns) {
      const answered = ringTogether(together, connect.timeout, phones, timeline);
      if (answered) return answered;
    }
  }
  return undefined;
}

/** The first to answer before the time is up wins; of two in the same second, the one that is named first. */
function ringTogether(
  usernames: readonly string[],
  timeout: number,
  phones: Phones,
  timeline: Timeline,
): Answered | undefined {
  const ringing = usernames.flatMap((username) => start(username, phones(username), timeline) ?? []);
  if (ringing.length === 0) return undefined;
  const soonest = Math.min(...ringing.map(({ answersAfter }) => answersAfter));
  const winner = soonest < timeout ? ringing.find(({ answersAfter }) => answersAfter === soonest) : undefined;

  timeline.pass(winner ? soonest : timeout);
  if (winner) timeline.note({ event: "answers", endpoint: winner.endpoint });
  for (const phone of ringing) {
    if (phone !== winner) timeline.note({ event: "stops ringing", endpoint: phone.endpoint });
  }
  return winner;
}

function start(endpoint: string, behaviour: Behaviour | undefined, timeline: Timeline): Ringing | undefined {
  const obstacle = obstacleOf(behaviour);
  timeline.note({ event: obstacle ?? "rings", endpoint });
  if (obstacle) return undefined;
  if (typeof behaviour !== "object") return { endpoint, answersAfter: Infinity, hangsUpAfter: undefined };
  return { endpoint, answersAfter: behaviour.answersAfter, hangsUpAfter: behaviour.hangsUpAfter };
}

function obstacleOf(behaviour: Behaviour | undefined) {
  if (behaviour === undefined) return "does not exist";
  if (behaviour === "busy") return "is busy";
  if (behaviour === "unregistered") return "is not registered";
  return undefined;
}

const DAY = 86_400;

/**
 * What the phone of an endpoint does when it is called. It answers so many seconds after it began to ring, and hangs
 * up so many seconds after it answered; it is busy; it rings and nobody comes; or no phone has registered.
 */
export const behaviourSchema = z.union(
  [
    z.strictObject({
      answersAfter: fields.wholeNumber(0, DAY, "seconds"),
      hangsUpAfter: fields.wholeNumber(1, DAY, "seconds").optional(),
    }),
    z.enum(["busy", "never", "unregistered"]),
  ],
  {
    error: expected(
      '{"answersAfter": seconds}, with "hangsUpAfter": seconds if it is to hang up, or "busy", "never" or "unregistered"',
    ),
  },
);

export type Behaviour = z.infer<typeof behaviourSchema>;
