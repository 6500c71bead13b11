import type { Environment } from "./environment.js";

/** What one operation may have at most. */
export interface Limits {
  readonly bodyBytes: number;
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
  readonly cost: number;
}

/** Reads the `MAX_` variables. */
export function readLimits(environment: Environment): Limits {
  return {
    bodyBytes: environment.wholeNumber("MAX_BODY_BYTES", 1, 100_000_000, 100_000),
    tokens: environment.wholeNumber("MAX_TOKENS", 1, 1_000_000, 2000),
    depth: environment.wholeNumber("MAX_DEPTH", 1, 1000, 10),
    aliases: environment.wholeNumber("MAX_ALIASES", 0, 100_000, 64),
    rootFields: environment.wholeNumber("MAX_ROOT_FIELDS", 1, 100_000, 64),
    directives: environment.wholeNumber("MAX_DIRECTIVES", 0, 100_000, 20),
    cost: environment.wholeNumber("MAX_COST", 1, 1_000_000_000, 5000),
  };
}
