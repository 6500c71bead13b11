import type { z } from "zod";
import { explainIssue } from "./explain-issue.js";
import { pcmoDocument } from "./pcmo-document.js";
import type { PcmoProblem } from "./pcmo-problem.js";

/** The mistakes of a document: the first of them explained, the others counted. */
export interface PcmoErrors {
  readonly told: readonly PcmoProblem[];
  readonly untold: number;
  /** The places of actions that have mistakes. */
  readonly places: ReadonlySet<PropertyKey>;
}

/** All mistakes that the schema finds in a document, in its order; each of them once. */
export function pcmoErrors(document: unknown, most: number): PcmoErrors {
  const issues = (pcmoDocument.safeParse(document).error?.issues ?? []).flatMap(oneMistakeEach);
  const explanations = issues.slice(0, most).map((issue) => explainIssue(issue, document));
  const meant = new Set(explanations.map(({ meant }) => meant));
  const told = explanations
    // A key that is misspelled is not missing as well.
    .filter(({ lacks = [] }) => !lacks.some((pointer) => meant.has(pointer)))
    .map(({ problem }) => problem);
  return {
    told,
    untold: issues.length - explanations.length,
    places: new Set(issues.flatMap(({ path }) => path.slice(0, 1))),
  };
}

function oneMistakeEach(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ ...issue, keys: [key] }));
  // A number beyond all whole numbers is beyond its own range too, and that range is told.
  const isTwice = (issue.code === "too_big" || issue.code === "too_small") && issue.origin === "int";
  return isTwice ? [] : [issue];
}
