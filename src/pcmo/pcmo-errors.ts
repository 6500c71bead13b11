import type { z } from "zod";
import { type PcmoAction, pcmoAction, pcmoDocument } from "./document.js";
import { explainIssue } from "./explain.js";
import type { PcmoProblem } from "./problem.js";

/** The mistakes of a document: the first of them explained, the others counted. */
export interface PcmoErrors {
  readonly told: readonly PcmoProblem[];
  readonly untold: number;
  /** The actions of the document; undefined stands for one that has mistakes. */
  readonly actions: readonly (PcmoAction | undefined)[];
}

/** All mistakes that the schema finds in a document, in its order; each of them once. */
export function pcmoErrors(document: unknown, most: number): PcmoErrors {
  const { data, error } = pcmoDocument.safeParse(document);
  const issues = (error?.issues ?? []).flatMap(oneMistakeEach);
  const explanations = issues.slice(0, most).map((issue) => explainIssue(issue, document));
  const meant = new Set(explanations.map(({ meant }) => meant));
  const told = explanations
    // A key that is misspelled is not missing as well.
    .filter(({ lacks = [] }) => !lacks.some((pointer) => meant.has(pointer)))
    .map(({ problem }) => problem);
  const places = new Set(issues.map(({ path }) => path[0]));
  const elements: readonly unknown[] = Array.isArray(document) ? document : [];
  const actions =
    data ?? elements.map((element, place) => (places.has(place) ? undefined : pcmoAction.parse(element)));
  return { told, untold: issues.length - explanations.length, actions };
}

function oneMistakeEach(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ ...issue, keys: [key] }));
  // A number beyond all whole numbers is beyond its own range too, and that range is told.
  const isTwice = (issue.code === "too_big" || issue.code === "too_small") && issue.origin === "int";
  return isTwice ? [] : [issue];
}
