import { type Change, CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildASTSchema, parse } from "graphql";

/** Without these, other subgraphs' references or shared types no longer compose. */
const LOST_FOR_FEDERATION = /^DIRECTIVE_USAGE_.*REMOVED .*\.@(key|shareable)$/;

/**
 * The breaking changes from one SDL to the next that the changelog does not announce: one line under "### Breaking"
 * in its section "[Unreleased]" names the element in backticks, such as `SipEndpoint.password`. A directive that
 * asks for a scope is not judged: whether it breaks a caller, the caller's scopes decide.
 */
export async function unannouncedBreakingChanges(
  oldSdl: string,
  newSdl: string,
  changelog: string,
): Promise<string[]> {
  const build = (sdl: string) => buildASTSchema(parse(sdl), { assumeValidSDL: true });
  const changes = await diff(build(oldSdl), build(newSdl));
  const announced = announcedElements(changelog);
  return changes
    .filter((change) => isBreaking(change) && !announced.has(elementOf(change)))
    .map((change) => `\`${elementOf(change)}\`: ${change.message}`);
}

function isBreaking({ criticality, type, path }: Change): boolean {
  return criticality.level === CriticalityLevel.Breaking || LOST_FOR_FEDERATION.test(`${type} ${path}`);
}

function elementOf({ path }: Change): string {
  return path ?? "schema";
}

function announcedElements(changelog: string): Set<string> {
  const unreleased = changelog.split(/^## /m).find((section) => section.startsWith("[Unreleased]"));
  const breaking = unreleased?.split(/^### /m).find((section) => section.startsWith("Breaking")) ?? "";
  return new Set(Array.from(breaking.matchAll(/`([^`]+)`/g), ([, element = ""]) => element));
}
