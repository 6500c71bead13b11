import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { controlGuard } from "./control-guard.js";
import { type EndpointDraft, endpointDraftList, startingEndpoints } from "./endpoints.js";
import { type Fault, faultSchema } from "./faults.js";
import { addCallRoute } from "./phone-call/route.js";
import type { EmulatorState } from "./piopiy-routes.js";
import { addSbcRoutes } from "./sbc/sbc-routes.js";
import type { SbcLoader } from "./sbc-loader.js";

const MAX_ENDPOINTS = 100_000;
const BODY_LIMIT = 64 * 1024 * 1024;

const resetSchema = z
  .strictObject({
    endpoints: endpointDraftList.optional(),
    count: z.int().min(0).max(MAX_ENDPOINTS).optional(),
  })
  .refine(({ endpoints, count }) => endpoints === undefined || count === undefined, {
    error: "expected endpoints or count, not both",
  });

/** Adds the routes with which tests and demonstrations control the emulator. PIOPIY has no such routes. */
export function addControlRoutes(server: FastifyInstance, state: EmulatorState, sbc: SbcLoader): void {
  const { endpoints, requestLog, faults } = state;
  server.register(
    async (control) => {
      control.addHook("onRequest", controlGuard);
      validateBodies(control);

      control.get("/calls", () => requestLog.list());

      control.post<{ Body: z.output<typeof resetSchema> }>(
        "/reset",
        { bodyLimit: BODY_LIMIT, schema: { body: resetSchema } },
        async ({ body }) => {
          endpoints.replaceAll(body.endpoints ?? numbered(body.count) ?? startingEndpoints);
          faults.clear();
          requestLog.clear();
          (await sbc.loaded)?.calls.reset();
          return { count: endpoints.count };
        },
      );

      control.get("/faults", () => faults.pending);

      control.post<{ Body: Fault }>("/faults", { schema: { body: faultSchema } }, ({ body }) => {
        faults.add(body);
        return faults.pending;
      });

      control.get("/phones", async () =>
        ((await sbc.loaded)?.phones() ?? []).map(({ username, flow, expiresAt }) => ({
          username,
          transport: flow.wire.transport,
          expiresAt: new Date(expiresAt).toISOString(),
        })),
      );

      addCallRoute(control, state.endpoints, state.settings.answerTimeoutMs, () => sbc.load());
      addSbcRoutes(control, () => sbc.load());
    },
    { prefix: "/_emulator" },
  );
}

/** Parses bodies, an empty body as `{}`, and validates them with the zod schemas of the routes. Reports all problems together. */
function validateBodies(control: FastifyInstance): void {
  control.setValidatorCompiler<z.ZodType>(({ schema }) => (text) => {
    let body: unknown;
    try {
      body = JSON.parse(text || "{}");
    } catch {
      return { error: new SyntaxError("The body must be JSON, or empty.") };
    }
    const { data, error } = schema.safeParse(body);
    return error ? { error } : { value: data };
  });
  control.setErrorHandler((error, request, reply) => {
    if (error instanceof SyntaxError) return reply.code(400).send({ error: error.message });
    if (!(error instanceof z.ZodError)) throw error;
    const problems = error.issues.map(({ path, message }) =>
      [path.join("."), message].filter(Boolean).join(": "),
    );
    return reply.code(400).send({ error: `The body is invalid for ${request.url}: ${problems.join("; ")}.` });
  });
}

/** Returns endpoints with usernames of equal length, so that they sort by number. */
function numbered(count: number | undefined): EndpointDraft[] | undefined {
  if (count === undefined) return undefined;
  const digits = Math.max(4, String(count).length);
  return Array.from({ length: count }, (_, index) => ({
    username: `user${String(index + 1).padStart(digits, "0")}`,
  }));
}
