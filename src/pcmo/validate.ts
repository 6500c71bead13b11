import { formatValue } from "../format-value.js";
import { describeAction } from "./describe.js";
import type { PcmoAction } from "./document.js";
import { type DocumentProblem, type DocumentProblemCode, explainErrors } from "./explain.js";
import { jsonPointer } from "./json-pointer.js";
import { sipUriAdvice } from "./sip-uri-advice.js";

/** The result of validating a PCMO document. */
export interface ValidationResult {
  /** Whether the document has no errors. It may have warnings. */
  readonly valid: boolean;
  /** Errors first, then warnings, each in the order of the document. */
  readonly problems: readonly DocumentProblem[];
  /** A sentence for each action. Empty for an invalid document, since PIOPIY does not document how it executes one. */
  readonly description: readonly string[];
  /** The document as this gateway writes it, or null when it is invalid. */
  readonly normalized: readonly object[] | null;
}

const MAX_PROBLEMS = 100;

/**
 * Validates any JSON as a PCMO document.
 *
 * @param targetsKey the key of the target list in a normalized connect action
 */
export function validatePcmo(document: unknown, targetsKey: "call" | "connect"): ValidationResult {
  const { problems: errors, unexplainedCount, actions } = explainErrors(document, MAX_PROBLEMS);
  const warnings = warningsOf(actions);
  const problems = [...errors, ...warnings].slice(0, MAX_PROBLEMS);
  const omittedCount = unexplainedCount + errors.length + warnings.length - problems.length;
  const validActions = actions.filter((action) => action !== undefined);
  const valid = errors.length === 0;
  return {
    valid,
    problems: omittedCount > 0 ? [...problems, moreProblems(omittedCount, unexplainedCount > 0)] : problems,
    description: valid ? validActions.map(describeAction) : [],
    normalized: valid ? validActions.map((action) => normalize(action, targetsKey)) : null,
  };
}

function moreProblems(count: number, areErrors: boolean): DocumentProblem {
  return {
    pointer: "",
    code: "MORE_PROBLEMS",
    severity: areErrors ? "ERROR" : "WARNING",
    message: `There are ${count} more problems. Fix the listed problems first.`,
  };
}

/** Normalizes a parsed action: parsing has already ordered its keys. Removes the ring type `single`, which is PIOPIY's default. */
function normalize(action: PcmoAction, targetsKey: string): object {
  if (action.action !== "connect" && action.action !== "bridge") return action;
  const { ring_type, ...rest } = action;
  const compact = ring_type === "group" ? action : rest;
  if (compact.action === "bridge") return compact;
  const { call, connect, ...others } = compact;
  return { ...others, [targetsKey]: call ?? connect };
}

/** Returns the warnings about valid actions. An invalid action is undefined. */
function warningsOf(actions: readonly (PcmoAction | undefined)[]): DocumentProblem[] {
  const order = orderWarnings(actions);
  return actions.flatMap((action, index) => [
    ...order.filter(({ pointer }) => pointer === jsonPointer([index])),
    ...(action ? actionWarnings(action, index) : []),
  ]);
}

function orderWarnings(actions: readonly (PcmoAction | undefined)[]): DocumentProblem[] {
  const hangup = actions.findIndex((action) => action?.action === "hangup");
  const connect = actions.findIndex((action) => action?.action === "connect");
  const warnings: DocumentProblem[] = [];
  if (connect >= 0 && connect < actions.length - 1 && (hangup < 0 || connect < hangup)) {
    const message = `PIOPIY does not document whether it executes actions after the connect at index ${connect}.`;
    warnings.push(warningAt([connect + 1], "UNCERTAIN_ACTION", message));
  }
  if (hangup >= 0 && hangup < actions.length - 1) {
    const message = `Actions after the hangup at index ${hangup} are never executed. Remove them.`;
    warnings.push(warningAt([hangup + 1], "UNREACHABLE_ACTION", message));
  }
  return warnings;
}

function actionWarnings(action: PcmoAction, index: number): DocumentProblem[] {
  if (action.action === "connect") return connectWarnings(action, index);
  if (action.action !== "play" && action.action !== "play_get_input") return [];
  return (["file_name", "file_url"] as const).flatMap((key) => {
    const file = action[key];
    if (file === undefined || /\.(mp3|wav)$/i.test(file.split(/[?#]/, 1)[0] ?? "")) return [];
    const message = `\`${key}\` should end in .mp3 or .wav, the formats that PIOPIY plays (got ${formatValue(file)}).`;
    return [warningAt([index, key], "UNCERTAIN_FILE_TYPE", message)];
  });
}

function connectWarnings(
  { record, call, connect = [] }: Extract<PcmoAction, { action: "connect" }>,
  index: number,
): DocumentProblem[] {
  const warnings: DocumentProblem[] = [];
  if (record) {
    const message = "`record` is not in PIOPIY's documentation, only in its SDK. PIOPIY may ignore this key.";
    warnings.push(warningAt([index, "record"], "UNDOCUMENTED_KEY", message));
  }
  for (const [position, { user }] of (call ?? connect).entries()) {
    const message = sipUriAdvice(user);
    const path = [index, call ? "call" : "connect", position, "user"];
    if (message) warnings.push(warningAt(path, "SIP_URI_AS_USERNAME", message));
  }
  return warnings;
}

function warningAt(
  path: readonly PropertyKey[],
  code: DocumentProblemCode,
  message: string,
): DocumentProblem {
  return { pointer: jsonPointer(path), code, severity: "WARNING", message };
}
