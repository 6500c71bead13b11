import type { z } from "zod";
import { keysOfAnyAction, targetTypes } from "./document.js";
import { jsonPointer, valueAt } from "./json-pointer.js";

/** Returns the zod issues of an invalid document, so that each issue is one problem of the author, and no problem is missing. */
export function separateIssues(issues: readonly z.core.$ZodIssue[], document: unknown): z.core.$ZodIssue[] {
  const separate = withoutSizesOfOtherTypes(withoutForeignTargets(issues, document));
  return separate.flatMap((issue) => splitIssue(issue, document));
}

/** Drops the issues about the size of a value of the wrong type: zod also checks the length of a text in place of a list. */
function withoutSizesOfOtherTypes(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const wrongTypes = issues
    .filter(({ code }) => code === "invalid_type")
    .map(({ path }) => jsonPointer(path));
  const pointers = new Set(wrongTypes);
  return issues.filter(
    ({ code, path }) => !["too_small", "too_big"].includes(code) || !pointers.has(jsonPointer(path)),
  );
}

/**
 * Drops the issues about other keys of a target that has the type of another action's targets: such a target has other keys, so
 * only its type is reported.
 */
function withoutForeignTargets(issues: readonly z.core.$ZodIssue[], document: unknown): z.core.$ZodIssue[] {
  // The path of a target is the index of the action, the key of the list and the index of the target.
  const targetOf = ({ path }: z.core.$ZodIssue) => jsonPointer(path.slice(0, 3));
  const foreign = issues.filter(({ path }) => path[3] === "type" && targetTypes.has(valueAt(document, path)));
  const pointers = new Set(foreign.map(targetOf));
  return issues.filter(
    (issue) => issue.path[3] === "type" || issue.code === "custom" || !pointers.has(targetOf(issue)),
  );
}

/** Splits a zod issue about several unknown keys into one issue per key. Drops an issue that repeats another issue. */
function splitIssue(issue: z.core.$ZodIssue, document: unknown): z.core.$ZodIssue[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ ...issue, keys: [key] }));
  if (issue.code === "invalid_union") return [issue, ...unknownKeysWithoutAction(issue, document)];
  // For an unsafe integer, zod reports two issues. Only the issue about the range of the field is kept.
  const isRepeated = (issue.code === "too_big" || issue.code === "too_small") && issue.origin === "int";
  return isRepeated ? [] : [issue];
}

/** Returns an issue for each key that no action has, if the key `action` is missing. zod checks no other key then. */
function unknownKeysWithoutAction({ path }: z.core.$ZodIssue, document: unknown): z.core.$ZodIssue[] {
  const parent = path.slice(0, -1);
  const action = valueAt(document, parent);
  if (
    typeof action !== "object" ||
    action === null ||
    Array.isArray(action) ||
    Object.hasOwn(action, "action")
  )
    return [];
  const unknown = Object.keys(action).filter((key) => !keysOfAnyAction.has(key));
  return unknown.map((key) => ({ code: "unrecognized_keys", keys: [key], path: parent, message: "" }));
}
