import { isRecord } from "./is-record.js";

/** The message of a discriminated union: what the discriminator must be, or that there is no object to look into. */
export function unionMessage(expectation: string): { error(issue: { input: unknown }): string } {
  return { error: ({ input }) => (isRecord(input) ? expectation : "an object") };
}
