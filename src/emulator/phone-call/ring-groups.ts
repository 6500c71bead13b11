import type { ConnectAction } from "./pcmo-schema.js";

/**
 * Returns the usernames of a connect action in groups. The phones of a group ring at the same time, and one group after another. An
 * endpoint that is listed twice in an action with `ring_type: group` is assumed to ring once.
 */
export function ringGroups({ call, connect, ring_type }: ConnectAction): readonly (readonly string[])[] {
  const usernames = (call ?? connect ?? []).map(({ user }) => user);
  return ring_type === "group" ? [[...new Set(usernames)]] : usernames.map((name) => [name]);
}
