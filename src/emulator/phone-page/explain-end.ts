import type { EndEvent } from "jssip/lib/RTCSession.js";

const causes: Readonly<Record<string, string>> = {
  "Request Timeout": "The emulator did not respond to the call.",
  "Connection Error": "The connection to the emulator was lost.",
  "Bad Media Description": "The two phones have no audio or video format in common.",
  "WebRTC Error": "The browser could not set up sound and picture.",
  "No Answer": "The call was not answered.",
};

/** Why the phone is logged out. */
export const NO_LONGER_ACCEPTED =
  "The emulator no longer accepts the password: it was changed, or the endpoint was removed. Log in again.";

export function explainTooManyLogins(seconds: number): string {
  return `Too many failed logins from this machine. Try again in ${seconds} seconds.`;
}

/** Returns the seconds after which a refused request may be repeated, or undefined. */
export function secondsToWait(response: { getHeader(name: string): string | undefined }): number | undefined {
  return Number.parseInt(response.getHeader("Retry-After") ?? "", 10) || undefined;
}

/** Describes in a sentence why a call from this phone was not answered. */
export function explainUnanswered(peer: string, { cause, message, originator }: EndEvent): string {
  if (!message || !("status_code" in message) || originator === "local") {
    return cause === "Canceled" ? `You ended the call to ${peer}.` : (causes[cause] ?? `${cause}.`);
  }
  const { status_code: status, reason_phrase: phrase } = message;
  const seconds = secondsToWait(message);
  if (status === 403 && seconds) return explainTooManyLogins(seconds);
  if (status === 403 || status === 407) return NO_LONGER_ACCEPTED;
  if (status === 503 && seconds) return `The emulator is overloaded. Try again in ${seconds} seconds.`;
  // The emulator says why, and names the endpoint that it called last.
  const header = message.getHeader("Reason") ?? "";
  const field = (pattern: RegExp) => pattern.exec(header)?.[1];
  const event = field(/text="([^"]*)"/);
  const failure = Number(field(/cause=(\d+)/) ?? status);
  const endpoint = decodeURIComponent(field(/endpoint="([^"]*)"/) ?? encodeURIComponent(peer));
  switch (event) {
    case "no document":
      return failure === 404
        ? `There is no endpoint and no number ${peer}. Numbers are added with POST /_emulator/numbers.`
        : `The answer URL of ${peer} returned no valid document. GET /_emulator/live-calls lists the problems.`;
    case "hangup":
      return `The document of ${peer} ends the call with the action hangup.`;
    case "end of document":
      return `The document of ${peer} calls no endpoint.`;
    case "does not exist":
      return `The endpoint ${endpoint} does not exist.`;
    case "is not registered":
      return `${endpoint} is not logged in on any phone.`;
    case "cannot be reached":
      return `The phone of ${endpoint} cannot be reached.`;
    case "stops ringing":
      return `${endpoint} did not answer.`;
    case "is not available":
      return `${endpoint} is not available.`;
    case "is busy":
      return `${endpoint} is busy.`;
    case "cannot take this call":
      return `${endpoint} cannot take this kind of call: the two phones have no audio or video format in common.`;
    case "declines":
      return `${endpoint} declined the call.`;
    case "refuses":
      return `The phone of ${endpoint} refused the call with the status ${failure}.`;
    case "connection lost":
      return "The connection to the emulator was lost.";
    default:
      return `The call to ${peer} failed: ${status} ${phrase}.`;
  }
}

/** Returns whether the emulator rejected a call from this phone because of the endpoint or its password. */
export function isLoginRejected({ message, originator }: EndEvent): boolean {
  if (!message || !("status_code" in message) || originator === "local") return false;
  return message.status_code === 407 || (message.status_code === 403 && !secondsToWait(message));
}

/** Describes in a sentence why this phone stopped ringing. */
export function explainMissed(peer: string, { cause, message, originator }: EndEvent): string {
  if (originator === "local") return `You declined the call from ${peer}.`;
  if (cause !== "Canceled") return `The call from ${peer} failed. ${causes[cause] ?? `${cause}.`}`;
  const reason = message?.getHeader("Reason") ?? "";
  if (reason.includes("cause=200")) return `Another phone answered the call from ${peer}.`;
  if (reason.includes("cause=6")) return `Another phone declined the call from ${peer}.`;
  return `You missed a call from ${peer}.`;
}

/** Describes in a sentence how a conversation ended. */
export function explainHangUp(peer: string, { cause, originator }: EndEvent): string {
  if (cause !== "Terminated") return `The call with ${peer} ended. ${causes[cause] ?? `${cause}.`}`;
  return originator === "local" ? "You hung up." : "The call has ended.";
}
