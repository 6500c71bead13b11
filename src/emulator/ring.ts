import type { Behaviour } from "./behaviour.js";
import type { ConnectAction } from "./call-document.js";
import type { Timeline } from "./timeline.js";

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
export function ring(connect: ConnectAction, phones: Phones, timeline: Timeline): Answered | undefined {
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
