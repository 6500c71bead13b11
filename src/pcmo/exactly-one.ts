import type { z } from "zod";

/**
 * Of two keys an action has exactly one. The rule stands twice here, and nowhere else: a refinement is silent in the JSON Schema.
 */
export function exactlyOne<Action extends z.ZodObject>(one: string, other: string, action: Action): Action {
  return action
    .refine((value) => one in value !== other in value, {
      params: { keys: [one, other] },
      // Otherwise it would be silent beside other mistakes of the action.
      when: ({ value }) => typeof value === "object" && value !== null,
    })
    .meta({ oneOf: [{ required: [one] }, { required: [other] }] });
}
