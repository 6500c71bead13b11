import { shorten, showValue } from "../show-value.js";
import type { PcmoAction } from "./document.js";

type Of<Name extends PcmoAction["action"]> = Extract<PcmoAction, { action: Name }>;

/** Says in a plain English sentence what an action does. Where a value is left out it tells PIOPIY's default, if there is one. */
export function describeAction(action: PcmoAction): string {
  switch (action.action) {
    case "play":
      return `Plays ${fileOf(action)}.`;
    case "speak":
      return `Says ${showValue(action.text)}.`;
    case "param":
      return `Hands ${showValue(action.text)} on to later webhooks.`;
    case "input":
      return `Waits ${inputOf(action)}.`;
    case "play_get_input":
      return `Plays ${fileOf(action)}${times(action.max_retry)}, and waits ${inputOf(action)}.`;
    case "bridge":
      return ringing(
        action,
        action.connect.map(({ number }) => String(number)),
      );
    case "connect":
      return ringing(
        action,
        (action.call ?? action.connect ?? []).map(({ user }) =>
          /\s/.test(user) ? showValue(user) : shorten(user),
        ),
      );
    case "record":
      return "Records the call.";
    case "stream":
      return streaming(action);
    case "hangup":
      return "Hangs up.";
  }
}

function ringing(action: Of<"bridge"> | Of<"connect">, names: readonly string[]): string {
  // PIOPIY documents defaults for connect only.
  const defaults = action.action === "connect" ? { timeout: 40, duration: 5400 } : {};
  const { ring_type, timeout, loop, from, duration } = { ...defaults, ...action };
  const [order, each] = ring_type === "group" ? [" all at once", ""] : [" one after another", " each"];
  const several = names.length > 1;
  const how = [
    several ? order : "",
    action.action === "connect" && action.call_type === "video" ? " with video" : "",
    timeout === undefined ? "" : ` for ${amount(timeout, "second")}${several ? each : ""}`,
    times(loop),
    from === undefined ? "" : `, showing ${from}`,
    action.action === "connect" && action.record ? ", recorded" : "",
  ];
  const talk = duration === undefined ? "" : `; the talk may last ${talkTime(duration)}`;
  return `Rings ${listed(names)}${how.join("")}${talk}.`;
}

function streaming({ listen_mode, ws_url, voice_quality, stream_on_answer }: Of<"stream">): string {
  const whose = { caller: "the caller's voice", callee: "the callee's voice", both: "both voices" };
  const voice = listen_mode ? whose[listen_mode] : "the voice";
  const quality = voice_quality ? ` with ${voice_quality} samples a second` : "";
  return `Streams ${voice} to ${shorten(ws_url)}${quality}${stream_on_answer ? " from the answer on" : ""}.`;
}

function inputOf({ timeout, max_digit = 1, action_url }: Of<"input"> | Of<"play_get_input">): string {
  const time = timeout === undefined ? "" : `${amount(timeout, "second")} `;
  return `${time}for ${amount(max_digit, "digit")} to post to ${shorten(action_url)}`;
}

function fileOf({ file_name, file_url }: Of<"play"> | Of<"play_get_input">): string {
  return shorten(file_name ?? file_url ?? "");
}

function times(count: number | undefined): string {
  return count === undefined || count === 1 ? "" : `, up to ${count} times`;
}

function listed(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return new Intl.ListFormat("en-GB").format(shown);
}

function talkTime(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => amount(count, unit))
    .join(" ");
}

function amount(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
