import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { controlGuard } from "./control-guard.js";
import { ControlInputError, readControlInput } from "./control-input.js";
import { areDistinct, type EndpointDraft, endpointDraftSchema, startingEndpoints } from "./endpoints.js";
import { faultSchema } from "./faults.js";
import { addCallRoute } from "./phone-call/route.js";
import type { EmulatorState } from "./piopiy-routes.js";

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

/** What tests and demonstrations steer the emulator with; PIOPIY has nothing like it. */
export function addControlRoutes(server: FastifyInstance, state: EmulatorState): void {
  const { endpoints, calls, faults } = state;
  server.register(
    async (control) => {
      control.addHook("onRequest", controlGuard);
      control.setErrorHandler((error, _request, reply) => {
        if (!(error instanceof ControlInputError)) throw error;
        return reply.code(400).send({ error: error.message });
      });

      control.get("/calls", () => calls.list());

      control.post("/reset", { bodyLimit: BODY_LIMIT }, (request) => {
        const wanted = readControlInput(resetSchema, request);
        endpoints.replaceAll(wanted.endpoints ?? numbered(wanted.count) ?? startingEndpoints);
        faults.clear();
        calls.clear();
        return { count: endpoints.count };
      });

      control.get("/faults", () => faults.pending);

      control.post("/faults", (request) => {
        faults.add(readControlInput(faultSchema, request));
        return faults.pending;
      });

      addCallRoute(control, state);
    },
    { prefix: "/_emulator" },
  );
}

/** Usernames of one length, so that they sort by number. */
function numbered(count: number | undefined): EndpointDraft[] | undefined {
  if (count === undefined) return undefined;
  const digits = Math.max(4, String(count).length);
  return Array.from({ length: count }, (_, index) => ({
    username: `user${String(index + 1).padStart(digits, "0")}`,
  }));
}
