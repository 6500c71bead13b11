import { showValue } from "../show-value.js";
import type { PcmoAction } from "./document.js";
import { jsonPointer } from "./json-pointer.js";
import type { PcmoProblem, PcmoProblemCode } from "./problem.js";

/** What PIOPIY takes and is yet unwise, in actions without mistakes of their own; undefined stands for one that has some. */
export function pcmoWarnings(actions: readonly (PcmoAction | undefined)[]): PcmoProblem[] {
  const order = orderWarnings(actions);
  return actions.flatMap((action, place) => [
    ...order.filter(({ pointer }) => pointer === jsonPointer([place])),
    ...(action ? actionWarnings(action, place) : []),
  ]);
}

function orderWarnings(actions: readonly (PcmoAction | undefined)[]): PcmoProblem[] {
  const hangup = actions.findIndex((action) => action?.action === "hangup");
  const connect = actions.findIndex((action) => action?.action === "connect");
  const warnings: PcmoProblem[] = [];
  if (connect >= 0 && connect < actions.length - 1 && (hangup < 0 || connect < hangup)) {
    const text = `PIOPIY does not document whether what follows the connect at ${connect} runs.`;
    warnings.push(warning([connect + 1], "UNCERTAIN_ACTION", text));
  }
  if (hangup >= 0 && hangup < actions.length - 1) {
    const text = `The call has ended with the hangup at ${hangup}: nothing from here on is reached.`;
    warnings.push(warning([hangup + 1], "UNREACHABLE_ACTION", text));
  }
  return warnings;
}

function actionWarnings(action: PcmoAction, place: number): PcmoProblem[] {
  if (action.action === "connect" && action.record) {
    const text =
      "record is in no document of PIOPIY, only in its library: whether the call is recorded is uncertain.";
    return [warning([place, "record"], "UNDOCUMENTED_KEY", text)];
  }
  if (action.action !== "play" && action.action !== "play_get_input") return [];
  return (["file_name", "file_url"] as const).flatMap((key) => {
    const file = action[key];
    if (file === undefined || /\.(mp3|wav)$/i.test(file.split(/[?#]/, 1)[0] ?? "")) return [];
    const text = `PIOPIY plays mp3 and wav files; ${showValue(file)} ends in neither .mp3 nor .wav.`;
    return [warning([place, key], "UNCERTAIN_FILE_TYPE", text)];
  });
}

function warning(path: readonly PropertyKey[], code: PcmoProblemCode, message: string): PcmoProblem {
  return { pointer: jsonPointer(path), code, severity: "WARNING", message };
}
