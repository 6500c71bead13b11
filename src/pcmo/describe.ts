import { formatValue, truncate } from "../format-value.js";
import type { PcmoAction } from "./document.js";

type ActionOf<Name extends PcmoAction["action"]> = Extract<PcmoAction, { action: Name }>;

/** Returns an English sentence that says what an action does. A missing value stands as PIOPIY's default, if it has one. */
export function describeAction(action: PcmoAction): string {
  switch (action.action) {
    case "play":
      return `Plays ${fileName(action)}.`;
    case "speak":
      return `Says ${formatValue(action.text)}.`;
    case "param":
      return `Hands ${formatValue(action.text)} on to later webhooks.`;
    case "input":
      return `Waits ${describeInput(action)}.`;
    case "play_get_input":
      return `Plays ${fileName(action)}${formatAttempts(action.max_retry)}, and waits ${describeInput(action)}.`;
    case "bridge":
      return describeRinging(
        action,
        action.connect.map(({ number }) => String(number)),
      );
    case "connect":
      return describeRinging(
        action,
        (action.call ?? action.connect ?? []).map(({ user }) =>
          /\s/.test(user) ? formatValue(user) : truncate(user),
        ),
      );
    case "record":
      return "Records the call.";
    case "stream":
      return describeStream(action);
    case "hangup":
      return "Hangs up.";
  }
}

function describeRinging(action: ActionOf<"bridge"> | ActionOf<"connect">, names: readonly string[]): string {
  // PIOPIY documents defaults for connect only.
  const defaults = action.action === "connect" ? { timeout: 40, duration: 5400 } : {};
  const { ring_type, timeout, loop, from, duration } = { ...defaults, ...action };
  const [order, perTarget] = ring_type === "group" ? [" all at once", ""] : [" one after another", " each"];
  const isSeveral = names.length > 1;
  const details = [
    isSeveral ? order : "",
    action.action === "connect" && action.call_type === "video" ? " with video" : "",
    timeout === undefined ? "" : ` for ${formatCount(timeout, "second")}${isSeveral ? perTarget : ""}`,
    formatAttempts(loop),
    from === undefined ? "" : `, showing ${from}`,
    action.action === "connect" && action.record ? ", recorded" : "",
  ];
  const talk = duration === undefined ? "" : `; the talk may last ${formatDuration(duration)}`;
  return `Rings ${formatNames(names)}${details.join("")}${talk}.`;
}

function describeStream({
  listen_mode,
  ws_url,
  voice_quality,
  stream_on_answer,
}: ActionOf<"stream">): string {
  const voices = { caller: "the caller's voice", callee: "the callee's voice", both: "both voices" };
  const voice = listen_mode ? voices[listen_mode] : "the voice";
  const quality = voice_quality ? ` with ${voice_quality} samples a second` : "";
  return `Streams ${voice} to ${truncate(ws_url)}${quality}${stream_on_answer ? " from the answer on" : ""}.`;
}

function describeInput({
  timeout,
  max_digit = 1,
  action_url,
}: ActionOf<"input"> | ActionOf<"play_get_input">): string {
  const time = timeout === undefined ? "" : `${formatCount(timeout, "second")} `;
  return `${time}for ${formatCount(max_digit, "digit")} to post to ${truncate(action_url)}`;
}

function fileName({ file_name, file_url }: ActionOf<"play"> | ActionOf<"play_get_input">): string {
  return truncate(file_name ?? file_url ?? "");
}

function formatAttempts(count: number | undefined): string {
  return count === undefined || count === 1 ? "" : `, up to ${count} times`;
}

function formatNames(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return new Intl.ListFormat("en-GB").format(shown);
}

function formatDuration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => formatCount(count, unit))
    .join(" ");
}

function formatCount(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
