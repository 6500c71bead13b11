import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { EmulatorState } from "./emulator-state.js";
import { areDistinct, type EndpointDraft, endpointDraftSchema } from "./endpoint.js";
import { faultSchema } from "./faults.js";
import { startingEndpoints } from "./starting-endpoints.js";

const MOST_ENDPOINTS = 100_000;
const BODY_LIMIT = 64 * 1024 * 1024;

const resetSchema = z
  .strictObject({
    endpoints: z.array(endpointDraftSchema).refine(areDistinct, "a username occurs twice").optional(),
    count: z.int().min(0).max(MOST_ENDPOINTS).optional(),
  })
  .refine(({ endpoints, count }) => endpoints === undefined || count === undefined, {
    error: "expected endpoints or count, not both",
  });

class InputError extends Error {}

/** What tests and demonstrations steer the emulator with; PIOPIY has nothing like it. */
export function addControlRoutes(server: FastifyInstance, { endpoints, calls, faults }: EmulatorState): void {
  server.register(
    async (control) => {
      control.setErrorHandler((error, _request, reply) => {
        if (!(error instanceof InputError)) throw error;
        return reply.code(400).send({ error: error.message });
      });

      control.get("/calls", () => calls.list());

      control.post("/reset", { bodyLimit: BODY_LIMIT }, (request) => {
        const wanted = read(resetSchema, request);
        faults.clear();
        calls.clear();
        endpoints.replaceAll(wanted.endpoints ?? numbered(wanted.count) ?? startingEndpoints);
        return { count: endpoints.count };
      });

      control.get("/faults", () => faults.pending);

      control.post("/faults", (request) => {
        faults.add(read(faultSchema, request));
        return faults.pending;
      });
    },
    { prefix: "/_emulator" },
  );
}

function read<Value>(schema: z.ZodType<Value>, request: FastifyRequest): Value {
  const { success, data, error } = schema.safeParse(parse(request.body || "{}"));
  if (success) return data;
  const mistakes = error.issues.map(({ path, message }) =>
    [path.join("."), message].filter(Boolean).join(": "),
  );
  throw new InputError(`${request.url} does not take this. ${mistakes.join("; ")}.`);
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw new InputError("The body must be JSON, or empty.");
  }
}

/** Usernames of one length, so that they sort by number. */
function numbered(count: number | undefined): EndpointDraft[] | undefined {
  if (count === undefined) return undefined;
  const digits = Math.max(4, String(count).length);
  return Array.from({ length: count }, (_, index) => ({
    username: `user${String(index + 1).padStart(digits, "0")}`,
  }));
}
