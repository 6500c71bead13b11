import type { z } from "zod";
import { formatValue } from "../format-value.js";
import { nearestName } from "../nearest-name.js";
import {
  keysOfActions,
  keysOfAnyAction,
  keysOfTargets,
  type PcmoAction,
  pcmoAction,
  pcmoDocument,
} from "./document.js";
import { jsonPointer, valueAt } from "./json-pointer.js";
import { separateIssues } from "./separate-issues.js";
import { shapeHint } from "./shape-hint.js";

/** Machine-readable code of a problem. The GraphQL schema describes each code. */
export type DocumentProblemCode =
  | "WRONG_TYPE"
  | "NUMBER_AS_TEXT"
  | "MISSING_KEY"
  | "UNKNOWN_KEY"
  | "CONFLICTING_KEYS"
  | "UNKNOWN_ACTION"
  | "INVALID_VALUE"
  | "INVALID_URL"
  | "INVALID_PHONE_NUMBER"
  | "INVALID_USERNAME"
  | "EMPTY_TEXT"
  | "OUT_OF_RANGE"
  | "NO_ACTIONS"
  | "NO_TARGETS"
  | "TOO_MANY_TARGETS"
  | "DUPLICATE_TARGET"
  | "SIP_URI_AS_USERNAME"
  | "UNREACHABLE_ACTION"
  | "UNCERTAIN_ACTION"
  | "UNCERTAIN_FILE_TYPE"
  | "UNDOCUMENTED_KEY"
  | "MORE_PROBLEMS";

/** An invalid or discouraged value in a PCMO document. */
export interface DocumentProblem {
  /** A JSON pointer (RFC 6901) to a value that exists in the document. */
  readonly pointer: string;
  readonly code: DocumentProblemCode;
  readonly severity: "ERROR" | "WARNING";
  readonly message: string;
}

/** The first errors of a document, each with an explanation, and the number of the other errors. */
interface ExplainedErrors {
  readonly problems: readonly DocumentProblem[];
  readonly unexplainedCount: number;
  /** The actions of the document. An invalid action is undefined. */
  readonly actions: readonly (PcmoAction | undefined)[];
}

/**
 * Validates a document and explains each error once, in the order of the document.
 *
 * @param limit the maximum number of errors to explain; further errors are only counted
 */
export function explainErrors(document: unknown, limit: number): ExplainedErrors {
  const { data, error } = pcmoDocument.safeParse(document);
  const issues = separateIssues(error?.issues ?? [], document);
  const explanations = issues.slice(0, limit).map((issue) => explainIssue(issue, document));
  const intendedKeys = new Set(explanations.map(({ intendedKey }) => intendedKey));
  const problems = explanations
    // A misspelled key causes two problems: an unknown key and a missing key. Only the unknown key is reported.
    .filter(({ missingKeys = [] }) => !missingKeys.some((pointer) => intendedKeys.has(pointer)))
    .map(({ problem }) => problem);
  const invalidIndexes = new Set(issues.map(({ path }) => path[0]));
  const elements: readonly unknown[] = Array.isArray(document) ? document : [];
  const actions =
    data ??
    elements.map((element, index) => (invalidIndexes.has(index) ? undefined : pcmoAction.parse(element)));
  return { problems, unexplainedCount: issues.length - explanations.length, actions };
}

/**
 * A problem, with the data that shows whether another problem has the same cause. For example, a misspelled key causes two
 * problems: an unknown key and a missing key.
 */
interface Explanation {
  readonly problem: DocumentProblem;
  /** A pointer to the missing key, or pointers to two keys if the action must have exactly one of them and has neither. */
  readonly missingKeys?: readonly string[];
  /** For an unknown key, a pointer to the known key that the author probably meant. */
  readonly intendedKey?: string | undefined;
}

/** Explains a zod issue, with the expected and the actual value. */
function explainIssue(issue: z.core.$ZodIssue, document: unknown): Explanation {
  const { path, message } = issue;
  const value = valueAt(document, path);
  if (issue.code === "unrecognized_keys") return explainUnknownKey(path, issue.keys.join(), value, document);
  if (issue.code === "custom") return explainRule(path, Object(issue.params), value);
  const key = path.at(-1);
  const parentPath = path.slice(0, -1);
  const parent = valueAt(document, parentPath);
  if (typeof key === "string" && Array.isArray(parent))
    return { problem: invalidValue(parentPath, "WRONG_TYPE", message, parent, shapeHint(parent, "object")) };
  if (typeof key === "string" && !Object.hasOwn(Object(parent), key)) {
    const problem = problemAt(parentPath, "MISSING_KEY", `\`${key}\` is missing. It must be ${message}.`);
    return { problem, missingKeys: [jsonPointer(path)] };
  }
  const code = codeOf(issue, value);
  return { problem: invalidValue(path, code, message, value, formatHint(issue, code, value)) };
}

/** Explains the violation of a rule about several values: exactly one of two keys, or each user only once. */
function explainRule(
  path: readonly PropertyKey[],
  { keys = [], first }: { readonly keys?: readonly string[]; readonly first?: number },
  value: unknown,
): Explanation {
  if (first !== undefined) {
    const message = `The target at index ${first} already has this user. List each user only once.`;
    return { problem: problemAt(path, "DUPLICATE_TARGET", message) };
  }
  const rule = `This action must have either ${keys.map((key) => `\`${key}\``).join(" or ")}`;
  if (keys.every((key) => Object.hasOwn(Object(value), key))) {
    return { problem: problemAt(path, "CONFLICTING_KEYS", `${rule} (got both).`) };
  }
  return {
    problem: problemAt(path, "MISSING_KEY", `${rule} (got neither).`),
    missingKeys: keys.map((key) => jsonPointer([...path, key])),
  };
}

function explainUnknownKey(
  path: readonly PropertyKey[],
  key: string,
  parent: unknown,
  document: unknown,
): Explanation {
  const isAction = path.length === 1;
  const action = String(Object(valueAt(document, path.slice(0, 1))).action);
  const known = (isAction ? keysOfActions : keysOfTargets).get(action);
  const unused = [...(known ?? keysOfAnyAction)].filter((other) => !Object.hasOwn(Object(parent), other));
  const intended = nearestName(key, unused);
  const owner = isAction ? (known ? `the action ${action}` : "an action") : `a target of ${action}`;
  const allowed = known ? `The allowed keys are ${known.join(", ")}.` : "No action has this key.";
  const hint = intended ? `Did you mean \`${intended}\`?` : allowed;
  return {
    problem: problemAt([...path, key], "UNKNOWN_KEY", `Unknown key ${formatValue(key)} in ${owner}. ${hint}`),
    intendedKey: intended && jsonPointer([...path, intended]),
  };
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): DocumentProblemCode {
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
      const isNumberExpected = issue.expected === "number" || issue.expected === "int";
      const isNumeric = typeof value === "string" && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value);
      return isNumberExpected && isNumeric ? "NUMBER_AS_TEXT" : "WRONG_TYPE";
    }
    default:
      return typeof value === "string" ? "INVALID_VALUE" : "WRONG_TYPE";
  }
}

/** Returns the problem of an invalid value, with the expected and the actual value. */
function invalidValue(
  path: readonly PropertyKey[],
  code: DocumentProblemCode,
  expectation: string,
  value: unknown,
  hint: string,
): DocumentProblem {
  const key = path.at(-1);
  const element = path.length > 1 ? "A target" : "An action";
  const name = typeof key === "string" ? `\`${key}\`` : path.length === 0 ? "A PCMO document" : element;
  return problemAt(path, code, `${name} must be ${expectation} (got ${formatValue(value)}).${hint}`);
}

/** Returns a sentence that says how to correct a value. It starts with a space. Returns an empty string if there is none. */
function formatHint(issue: z.core.$ZodIssue, code: DocumentProblemCode, value: unknown): string {
  if (issue.code === "invalid_type" && (issue.expected === "array" || issue.expected === "object")) {
    return shapeHint(value, issue.expected === "array" ? "array" : "object");
  }
  if (typeof value !== "string") return "";
  if (code === "NUMBER_AS_TEXT") {
    return ` Remove the quotes${value.includes("+") ? " and the plus sign" : ""}.`;
  }
  const quoted = Array.from(issue.message.matchAll(/"(\w+)"/g), ([, word = ""]) => word);
  const intended = nearestName(value, code === "UNKNOWN_ACTION" ? [...keysOfActions.keys()] : quoted);
  return intended ? ` Did you mean "${intended}"?` : "";
}

function problemAt(
  path: readonly PropertyKey[],
  code: DocumentProblemCode,
  message: string,
): DocumentProblem {
  return { pointer: jsonPointer(path), code, severity: "ERROR", message };
}
