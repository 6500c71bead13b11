import type { z } from "zod";
import { nearestName } from "../nearest-name.js";
import { showValue } from "../show-value.js";
import { keysOfActions, keysOfTargets, type PcmoAction, pcmoAction, pcmoDocument } from "./document.js";
import { jsonPointer, type PcmoProblem, type PcmoProblemCode } from "./problem.js";

/** The mistakes of a document: the first of them explained, the others counted. */
export interface PcmoErrors {
  readonly told: readonly PcmoProblem[];
  readonly untold: number;
  /** The actions of the document; undefined stands for one that has mistakes. */
  readonly actions: readonly (PcmoAction | undefined)[];
}

/** All mistakes that the schema finds in a document, in its order; each of them once. */
export function explainErrors(document: unknown, most: number): PcmoErrors {
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

/** A problem, and what tells whether another one is the same mistake seen from its other side. */
interface Explanation {
  readonly problem: PcmoProblem;
  /** Pointers to keys one of which is missing. */
  readonly lacks?: readonly string[];
  /** A pointer to the key that an unknown one was meant to be. */
  readonly meant?: string | undefined;
}

/** Says what the schema found wrong in a document: what was expected, and what came. */
function explainIssue(issue: z.core.$ZodIssue, document: unknown): Explanation {
  const { path, message } = issue;
  const value = valueAt(document, path);
  if (issue.code === "unrecognized_keys") return unknownKey(path, issue.keys.join(), value, document);
  if (issue.code === "custom") return brokenRule(path, Object(issue.params), value);
  const key = path.at(-1);
  const holder = path.slice(0, -1);
  const parent = valueAt(document, holder);
  if (typeof key === "string" && Array.isArray(parent))
    return { problem: unfit(holder, "WRONG_TYPE", message, parent) };
  if (typeof key === "string" && !Object.hasOwn(Object(parent), key)) {
    const problem = error(holder, "MISSING_KEY", `${key} is missing; it must be ${message}.`);
    return { problem, lacks: [jsonPointer(path)] };
  }
  return { problem: unfit(path, codeOf(issue, value), message, value) };
}

/** The two rules about more than one value: exactly one of two keys, and no user twice. */
function brokenRule(
  path: readonly PropertyKey[],
  { keys = [], first }: { readonly keys?: readonly string[]; readonly first?: number },
  value: unknown,
): Explanation {
  if (first !== undefined) {
    const text = `Target ${first} has this user already. Name each user once.`;
    return { problem: error(path, "DUPLICATE_TARGET", text) };
  }
  const names = keys.join(" and ");
  if (keys.every((key) => Object.hasOwn(Object(value), key))) {
    return { problem: error(path, "CONFLICTING_KEYS", `Only one of ${names} may be there; both are.`) };
  }
  return {
    problem: error(path, "MISSING_KEY", `One of ${names} must be there; both are missing.`),
    lacks: keys.map((key) => jsonPointer([...path, key])),
  };
}

function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  holder: unknown,
  document: unknown,
): Explanation {
  const isAction = path.length === 1;
  const action = String(Object(valueAt(document, path.slice(0, 1))).action);
  const known = (isAction ? keysOfActions : keysOfTargets).get(action) ?? [];
  const free = known.filter((other) => !Object.hasOwn(Object(holder), other));
  const meant = nearestName(key, free);
  const whole = isAction ? `the action ${action}` : `a target of ${action}`;
  const hint = meant ? `; did you mean "${meant}"?` : `, which has ${known.join(", ")}.`;
  return {
    problem: error([...path, key], "UNKNOWN_KEY", `${showValue(key)} is no key of ${whole}${hint}`),
    meant: meant && jsonPointer([...path, meant]),
  };
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): PcmoProblemCode {
  const key = String(issue.path.at(-1));
  switch (issue.code) {
    case "invalid_union":
      return key === "action" ? "UNKNOWN_ACTION" : "INVALID_VALUE";
    case "invalid_format":
      if (key === "user") return "INVALID_USERNAME";
      return key.endsWith("_url") ? "INVALID_URL" : "INVALID_VALUE";
    case "too_small":
    case "too_big":
      if (issue.origin === "string") return "EMPTY_TEXT";
      if (issue.origin === "number")
        return ["from", "number"].includes(key) ? "INVALID_PHONE_NUMBER" : "OUT_OF_RANGE";
      if (issue.path.length === 0) return "NO_ACTIONS";
      return issue.code === "too_small" ? "NO_TARGETS" : "TOO_MANY_TARGETS";
    case "invalid_type": {
      const wantsNumber = issue.expected === "number" || issue.expected === "int";
      const isNumeric = typeof value === "string" && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value);
      return wantsNumber && isNumeric ? "NUMBER_AS_TEXT" : "WRONG_TYPE";
    }
    default:
      return typeof value === "string" ? "INVALID_VALUE" : "WRONG_TYPE";
  }
}

/** A value that is not what it must be. */
function unfit(
  path: readonly PropertyKey[],
  code: PcmoProblemCode,
  expectation: string,
  value: unknown,
): PcmoProblem {
  const key = path.at(-1);
  const inner = path.length > 1 ? "A target" : "An action";
  const name = typeof key === "string" ? key : path.length === 0 ? "A PCMO document" : inner;
  const hint = typeof value === "string" ? hintOf(code, expectation, value) : ".";
  return error(path, code, `${name} must be ${expectation}; it is ${showValue(value)}${hint}`);
}

function hintOf(code: PcmoProblemCode, expectation: string, value: string): string {
  if (code === "NUMBER_AS_TEXT") {
    return `: take the quotes ${value.includes("+") ? "and the plus sign " : ""}away.`;
  }
  const quoted = Array.from(expectation.matchAll(/"(\w+)"/g), ([, word = ""]) => word);
  const meant = nearestName(value, code === "UNKNOWN_ACTION" ? [...keysOfActions.keys()] : quoted);
  return meant ? `. Did you mean "${meant}"?` : ".";
}

function error(path: readonly PropertyKey[], code: PcmoProblemCode, message: string): PcmoProblem {
  return { pointer: jsonPointer(path), code, severity: "ERROR", message };
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (Object.hasOwn(Object(value), step) ? Object(value)[step] : undefined),
    document,
  );
}
