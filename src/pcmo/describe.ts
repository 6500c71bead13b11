import { formatValue, truncate } from "../format-value.js";
import type { PcmoAction } from "./document.js";

type ActionOf<Name extends PcmoAction["action"]> = Extract<PcmoAction, { action: Name }>;

/** Describes an action in one English sentence. For a missing value, the sentence states PIOPIY's default if there is one. */
export function describeAction(action: PcmoAction): string {
  switch (action.action) {
    case "play":
      return `Plays ${fileName(action)}.`;
    case "speak":
      return `Says ${formatValue(action.text)}.`;
    case "param":
      return `Sends ${formatValue(action.text)} as extra_params in later webhooks.`;
    case "input":
      return `Waits ${describeInput(action)}.`;
    case "play_get_input":
      return `Plays ${fileName(action)}${formatAttempts(action.max_retry)}, waits ${describeInput(action)}.`;
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
  const [order, perTarget] =
    ring_type === "group" ? [" at the same time", ""] : [" one after another", " each"];
  const isSeveral = names.length > 1;
  const details = [
    isSeveral ? order : "",
    timeout === undefined ? "" : ` for ${formatCount(timeout, "second")}${isSeveral ? perTarget : ""}`,
    formatAttempts(loop),
    action.action === "connect" && action.call_type === "video" ? ", with video" : "",
    from === undefined ? "" : `, with the caller id ${from}`,
    action.action === "connect" && action.record ? ", with recording" : "",
  ];
  const limit = duration === undefined ? "" : `; the conversation can last up to ${formatDuration(duration)}`;
  return `Rings ${formatNames(names)}${details.join("")}${limit}.`;
}

function describeStream({
  listen_mode,
  ws_url,
  voice_quality,
  stream_on_answer,
}: ActionOf<"stream">): string {
  const sides = { caller: "of the caller", callee: "of the callee", both: "of both sides" };
  const side = listen_mode ? ` ${sides[listen_mode]}` : "";
  const rate = voice_quality ? ` at ${voice_quality} Hz` : "";
  const start = stream_on_answer ? ", starting when the call is answered" : "";
  return `Streams the audio${side} to ${truncate(ws_url)}${rate}${start}.`;
}

function describeInput({
  timeout,
  max_digit = 1,
  action_url,
}: ActionOf<"input"> | ActionOf<"play_get_input">): string {
  const time = timeout === undefined ? "" : `${formatCount(timeout, "second")} `;
  const digits = `${formatCount(max_digit, "digit")} and posts ${max_digit === 1 ? "it" : "them"}`;
  return `${time}for ${digits} to ${truncate(action_url)}`;
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
