import type { Context } from "../context.js";
import { limitError } from "./document-limits.js";

/** Takes units off the client's rate limit, and refuses an operation that has cost more than it may. */
export async function charge(context: Context, units: number): Promise<void> {
  const cost = context.spent + units;
  if (cost > context.maxCost) throw limitError("MAX_COST", "units of cost", cost, context.maxCost);
  await context.charge(units);
}
