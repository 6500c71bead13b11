import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { readControlInput } from "../control-input.js";
import type { EmulatorState } from "../piopiy-routes.js";
import { AnswerError, askAnswerUrl, readAnswer, spellWebhook, webhookSpellings } from "./fetch-answer.js";
import { fields } from "./fields.js";
import { behaviourSchema, simulateCall } from "./simulate.js";
import { TimelineError } from "./timeline.js";

/** Does what PIOPIY would do when somebody dials a number: asks its answer URL, then follows the document. */
export function addCallRoute(control: FastifyInstance, { endpoints, settings }: EmulatorState): void {
  control.post("/call", async (request, reply) => {
    const { answerUrl, behaviours, ...call } = readControlInput(callRequestSchema, request);
    const callId = randomUUID();
    const caller = new AbortController();
    reply.raw.once("close", () => caller.abort());
    try {
      const webhook = spellWebhook({ ...call, callId, time: Date.now() });
      const answer = await askAnswerUrl(answerUrl, webhook, settings.answerTimeoutMs, caller.signal);
      const { sent, document } = readAnswer(answer);
      const phones = (username: string) =>
        endpoints.find(username) && (behaviours.get(username) ?? ("never" as const));
      return { callId, document: sent, ...simulateCall(document, phones) };
    } catch (error) {
      const refusal = error instanceof TimelineError ? new AnswerError([error.message]) : error;
      if (!(refusal instanceof AnswerError)) throw error;
      return reply.code(422).send({ error: refusal.message, reasons: refusal.reasons });
    }
  });
}

/** A call that PIOPIY is to get: who dials which number, and the answer URL that the number has. */
const callRequestSchema = z.strictObject({
  to: fields.phoneNumber(),
  from: fields.phoneNumber(),
  answerUrl: fields.url("http", "https"),
  webhook: fields.oneOf(...webhookSpellings).default("strings"),
  /** By username. A map, because a username may be the name of something that every object has. */
  behaviours: z
    .record(z.string(), behaviourSchema)
    .default({})
    .transform((behaviours) => new Map(Object.entries(behaviours))),
});
