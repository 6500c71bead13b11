import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Change, CriticalityLevel, diff } from "@graphql-inspector/core";
import {
  buildASTSchema,
  type GraphQLSchema,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  parse,
} from "graphql";

/** Directives without which references or shared types of other subgraphs no longer compose. */
const LOST_FOR_FEDERATION = /^DIRECTIVE_USAGE_.*REMOVED .*\.@(key(\.fields)?|shareable)$/;

/**
 * Returns the breaking changes from one SDL to the next that the changelog does not announce. An announcement is a line under
 * "### Breaking" in the section "[Unreleased]". Its first word in backticks is the element, such as `SipEndpoint.password`.
 * Scope directives are not compared: they break a client only if it lacks the scope.
 */
export async function unannouncedBreakingChanges(
  oldSdl: string,
  newSdl: string,
  changelog: string,
): Promise<string[]> {
  const build = (sdl: string) => buildASTSchema(parse(sdl), { assumeValidSDL: true });
  const after = build(newSdl);
  const changes = await diff(build(oldSdl), after);
  const announced = announcedElements(changelog);
  return changes
    .filter((change) => isBreaking(change, after) && !announced.has(elementOf(change)))
    .map((change) => `\`${elementOf(change)}\`: ${change.message}`);
}

function isBreaking(change: Change, after: GraphQLSchema): boolean {
  const { criticality, type, path } = change;
  return (
    criticality.level === CriticalityLevel.Breaking ||
    LOST_FOR_FEDERATION.test(`${type} ${path}`) ||
    (/_DEFAULT_(VALUE_)?CHANGED$/.test(type) && isRequired(elementOf(change), after))
  );
}

/** Returns whether an argument or input field is required. The inspector does not report `Int! = 10` that becomes `Int!`. */
function isRequired(element: string, schema: GraphQLSchema): boolean {
  const [typeName = "", fieldName = "", argumentName] = element.split(".");
  const type = schema.getType(typeName);
  if (isInputObjectType(type)) {
    const field = type.getFields()[fieldName];
    return field !== undefined && isRequiredInputField(field);
  }
  const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
  return fields[fieldName]?.args.some((arg) => arg.name === argumentName && isRequiredArgument(arg)) ?? false;
}

function elementOf({ path }: Change): string {
  return path ?? "schema";
}

function announcedElements(changelog: string): Set<string | undefined> {
  const unreleased = changelog.split(/^## /m).find((section) => section.startsWith("[Unreleased]"));
  const breaking = unreleased?.split(/^### /m).find((section) => /^Breaking\s*\n/.test(section));
  const lines = breaking?.split(/^- /m).slice(1) ?? [];
  return new Set(lines.map((line) => /`([^`]+)`/.exec(line)?.[1]));
}

/** The schema to compare with. If there is none, the SDL is undefined and the name states the reason. */
export interface Base {
  readonly name: string;
  readonly sdl?: string;
}

/** Returns a schema of the commit before HEAD. With `strict`, throws if the git repository cannot be read. */
export function comparisonBase(directory: string, file: string, strict: boolean): Base {
  const nothing = (reason: string): Base => ({ name: `nothing: ${reason}` });
  if (!existsSync(join(directory, ".git"))) return nothing("there is no git repository");
  try {
    const count = git(directory, "rev-list", "--count", "--max-count=2", "--first-parent", "HEAD");
    if (count.trim() !== "2") return nothing("there is no previous commit here");
    if (git(directory, "ls-tree", "HEAD~1", file) === "") return nothing("the previous commit has no schema");
    return { name: "the previous commit", sdl: git(directory, "show", `HEAD~1:${file}`) };
  } catch (error) {
    if (strict) throw error;
    return nothing("git does not answer");
  }
}

/** Runs git in this directory's repository, even if a hook of another repository runs the tests. */
export function git(directory: string, ...args: string[]): string {
  const env = {
    ...process.env,
    GIT_DIR: join(directory, ".git"),
    GIT_WORK_TREE: directory,
    GIT_INDEX_FILE: undefined,
  };
  return execFileSync("git", args, { cwd: directory, env, encoding: "utf8", stdio: "pipe" });
}
