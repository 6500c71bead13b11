import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Endpoints } from "../endpoints.js";
import { AnswerError, fetchAnswer, formatWebhook, webhookFormats } from "./fetch-answer.js";
import { fields } from "./fields.js";
import { phoneBehaviourSchema, simulateCall } from "./simulate.js";

/** The call to simulate: the number of the caller, the dialled number, and the answer URL of the dialled number. */
const callSchema = z.strictObject({
  to: fields.phoneNumber(),
  from: fields.phoneNumber(),
  answerUrl: fields.url("http", "https"),
  webhook: fields.oneOf(...webhookFormats).default("strings"),
  /**
   * The behaviour of each phone, by username. A map, because a username may equal a property of every object, such as
   * `constructor`.
   */
  behaviours: z
    .record(z.string(), phoneBehaviourSchema)
    .default({})
    .transform((behaviours) => new Map(Object.entries(behaviours))),
});

/** Adds the route that simulates an incoming call: it requests the answer URL of the number, then executes the returned document. */
export function addCallRoute(control: FastifyInstance, endpoints: Endpoints, answerTimeoutMs: number): void {
  control.post<{ Body: z.output<typeof callSchema> }>(
    "/call",
    { schema: { body: callSchema } },
    async ({ body: { answerUrl, webhook: format, behaviours, ...numbers } }, reply) => {
      const callId = randomUUID();
      const disconnected = new AbortController();
      reply.raw.once("close", () => disconnected.abort());
      try {
        const webhook = formatWebhook({ ...numbers, callId, time: Date.now() }, format);
        const { sent, document } = await fetchAnswer(
          answerUrl,
          webhook,
          answerTimeoutMs,
          disconnected.signal,
        );
        const behaviourOf = (username: string) =>
          endpoints.find(username) && (behaviours.get(username) ?? ("never" as const));
        return { callId, document: sent, ...simulateCall(document, behaviourOf) };
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        return reply.code(422).send({ error: error.message, reasons: error.reasons });
      }
    },
  );
}
