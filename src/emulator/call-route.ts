import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { AnswerError } from "./answer-error.js";
import { askAnswerUrl } from "./ask-answer-url.js";
import { callRequestSchema } from "./call-request.js";
import { readControlInput } from "./control-input.js";
import type { EmulatorState } from "./emulator-state.js";
import { readAnswer } from "./read-answer.js";
import { simulateCall } from "./simulate-call.js";
import { TimelineError } from "./timeline.js";
import { spellWebhook } from "./webhook.js";

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
