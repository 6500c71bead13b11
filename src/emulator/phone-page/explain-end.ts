import type { EndEvent } from "jssip/lib/RTCSession.js";

const causes: Readonly<Record<string, string>> = {
  "Request Timeout": "The emulator did not respond to the call.",
  "Connection Error": "The connection to the emulator was lost.",
  "Bad Media Description": "The two phones have no audio or video format in common.",
  "WebRTC Error": "The browser could not set up sound and picture.",
  "No Answer": "The call was not answered.",
};

/** Describes in a sentence why a call from this phone was not answered. */
export function explainUnanswered(peer: string, { cause, message, originator }: EndEvent): string {
  const status = message && "status_code" in message ? message.status_code : undefined;
  if (status === undefined || originator === "local") {
    return cause === "Canceled" ? `You ended the call to ${peer}.` : (causes[cause] ?? `${cause}.`);
  }
  const reason = message && "reason_phrase" in message ? message.reason_phrase : "";
  // The emulator names the failure of the phone that rang last, since the status for its caller is always 480.
  const [, event] = /text="([^"]*)"/.exec(message?.getHeader("Reason") ?? "") ?? [];
  if (event === "is not registered") return `${peer} is not logged in on any phone.`;
  if (event === "cannot be reached") return `The phone of ${peer} cannot be reached.`;
  const [, failure = status] = /cause=(\d+)/.exec(message?.getHeader("Reason") ?? "") ?? [];
  switch (Number(failure)) {
    case 404:
      return `There is no endpoint and no number ${peer}. Numbers are added with POST /_emulator/numbers.`;
    case 408:
      return `${peer} did not answer.`;
    case 480:
      return `${peer} is not available.`;
    case 486:
    case 600:
      return `${peer} is busy.`;
    case 487:
      return `The call to ${peer} was ended before it was answered.`;
    case 488:
    case 606:
      return `${peer} cannot take this kind of call: the two phones have no audio or video format in common.`;
    case 603:
      return `${peer} declined the call.`;
    default:
      return `The call to ${peer} failed: ${status} ${reason}.`;
  }
}

/** Describes in a sentence why this phone stopped ringing. */
export function explainMissed(peer: string, { cause, message, originator }: EndEvent): string {
  if (originator === "local") return `You declined the call from ${peer}.`;
  if (cause !== "Canceled") return `The call from ${peer} failed. ${causes[cause] ?? `${cause}.`}`;
  return message?.getHeader("Reason")?.includes("cause=200")
    ? `Another phone answered the call from ${peer}.`
    : `You missed a call from ${peer}.`;
}

/** Describes in a sentence how a conversation ended. */
export function explainHangUp(peer: string, { cause, originator }: EndEvent): string {
  if (cause !== "Terminated") return `The call with ${peer} ended. ${causes[cause] ?? `${cause}.`}`;
  return originator === "local" ? "You hung up." : "The call has ended.";
}
