import type { FastifyRequest } from "fastify";
import type { z } from "zod";

/** A control route was asked for what it does not take; the message lists every mistake. */
export class ControlInputError extends Error {}

/** Reads the body of a control route, an empty one as `{}`, or throws one `ControlInputError`. */
export function readControlInput<Value>(schema: z.ZodType<Value>, request: FastifyRequest): Value {
  const { success, data, error } = schema.safeParse(parse(request.body || "{}"));
  if (success) return data;
  const mistakes = error.issues.map(({ path, message }) =>
    [path.join("."), message].filter(Boolean).join(": "),
  );
  throw new ControlInputError(`${request.url} does not take this. ${mistakes.join("; ")}.`);
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw new ControlInputError("The body must be JSON, or empty.");
  }
}
