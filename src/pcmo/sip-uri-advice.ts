import { formatValue } from "../format-value.js";
import { usernameInSipUri } from "../sip/username.js";

/**
 * Returns a warning about a target that looks like a SIP URI, with the username to use; undefined for any other target. The
 * warning contains no other part of the URI, because it may contain a password.
 */
export function sipUriAdvice(user: string): string | undefined {
  const username = usernameInSipUri(user);
  if (username === undefined) return undefined;
  const advice =
    username === "" ? "Use the username without scheme and host." : `Use ${formatValue(username)}.`;
  return `This user looks like a SIP URI, but PIOPIY rings a SIP endpoint by its username. ${advice}`;
}
