import { describeAction } from "./describe.js";
import type { PcmoAction } from "./document.js";
import { pcmoErrors } from "./pcmo-errors.js";
import { pcmoWarnings } from "./pcmo-warnings.js";
import type { PcmoProblem } from "./problem.js";

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
  const { told, untold, actions } = pcmoErrors(document, MOST);
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
