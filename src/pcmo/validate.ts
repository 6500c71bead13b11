import { showValue } from "../show-value.js";
import { describeAction } from "./describe.js";
import type { PcmoAction } from "./document.js";
import { explainErrors } from "./explain.js";
import { jsonPointer, type PcmoProblem, type PcmoProblemCode } from "./problem.js";

/** What there is to say about a PCMO document. */
export interface PcmoReport {
  /** No problem is an error. */
  readonly valid: boolean;
  /** Errors first, then warnings, each in the order of the document. */
  readonly problems: readonly PcmoProblem[];
  /** A sentence for each action; none when the document is invalid, since nobody knows what PIOPIY does with it then. */
  readonly description: readonly string[];
  /** The document as this gateway would write it; null when it is invalid. */
  readonly normalized: readonly object[] | null;
}

const MOST = 100;

/**
 * Judges any JSON as a PCMO document.
 *
 * @param targetsKey the key under which a normalized connect has its targets
 */
export function validatePcmo(document: unknown, targetsKey: "call" | "connect"): PcmoReport {
  const { told, untold, actions } = explainErrors(document, MOST);
  const warnings = pcmoWarnings(actions);
  const problems = [...told, ...warnings].slice(0, MOST);
  const more = untold + told.length + warnings.length - problems.length;
  const sound = actions.filter((action) => action !== undefined);
  const valid = told.length === 0;
  return {
    valid,
    problems: more > 0 ? [...problems, moreProblems(more, untold > 0)] : problems,
    description: valid ? sound.map(describeAction) : [],
    normalized: valid ? sound.map((action) => normalized(action, targetsKey)) : null,
  };
}

function moreProblems(more: number, areErrors: boolean): PcmoProblem {
  return {
    pointer: "",
    code: "MORE_PROBLEMS",
    severity: areErrors ? "ERROR" : "WARNING",
    message: `There are ${more} more problems. Mend these first.`,
  };
}

/** The schema has put the keys into their order; single is PIOPIY's default, which this gateway does not write. */
function normalized(action: PcmoAction, targetsKey: string): object {
  if (action.action !== "connect" && action.action !== "bridge") return action;
  const { ring_type, ...rest } = action;
  const written = ring_type === "group" ? action : rest;
  if (written.action === "bridge") return written;
  const { call, connect, ...others } = written;
  return { ...others, [targetsKey]: call ?? connect };
}

/** What PIOPIY takes and is yet unwise, in actions without mistakes of their own; undefined stands for one that has some. */
function pcmoWarnings(actions: readonly (PcmoAction | undefined)[]): PcmoProblem[] {
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
