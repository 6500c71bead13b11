import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import type { Endpoints } from "../endpoints.js";
import type { Sbc } from "../sbc/sbc.js";
import { AnswerError, fetchAnswer, formatWebhook, webhookFormats } from "./fetch-answer.js";
import { expected, fields } from "./fields.js";
import { phoneBehaviourSchema, simulateCall } from "./simulate.js";

const flag = z.boolean({ error: expected("true or false") });

/** The call to place: the number of the caller, the dialled number, and the answer URL of the dialled number. */
const callSchema = z
  .strictObject({
    to: fields.phoneNumber(),
    from: fields.phoneNumber(),
    answerUrl: fields.url("http", "https"),
    webhook: fields.oneOf(...webhookFormats).default("strings"),
    /** Whether registered phones ring. Otherwise the call is simulated. */
    real: flag.default(false),
    /** Whether the response is sent when the call has ended, or at its start. */
    wait: flag.default(true),
    /**
     * The behaviour of each phone, by username. A map, because a username may equal a property of every object, such as
     * `constructor`.
     */
    behaviours: z
      .record(z.string(), phoneBehaviourSchema)
      .default({})
      .transform((behaviours) => new Map(Object.entries(behaviours))),
  })
  .refine(({ real, behaviours }) => !real || behaviours.size === 0, {
    path: ["behaviours"],
    error: "expected no behaviours with real, because registered phones ring; remove behaviours or real",
  })
  .refine(({ real, wait }) => real || wait, {
    path: ["wait"],
    error: "expected true without real, because a simulated call takes no time; add real, or remove wait",
  });

type CallRequest = z.output<typeof callSchema>;

/** Adds the route for an incoming call: it requests the answer URL of the number, then executes the returned document. */
export function addCallRoute(
  control: FastifyInstance,
  endpoints: Endpoints,
  answerTimeoutMs: number,
  sbc: () => Promise<Sbc>,
): void {
  control.post<{ Body: CallRequest }>("/call", { schema: { body: callSchema } }, async ({ body }, reply) => {
    if (body.real) return placeCall(body, reply, await sbc());
    const { answerUrl, webhook: format, behaviours, to, from } = body;
    const callId = randomUUID();
    const disconnected = new AbortController();
    reply.raw.once("close", () => disconnected.abort());
    try {
      const webhook = formatWebhook({ to, from, callId, time: Date.now() }, format);
      const { sent, document } = await fetchAnswer(answerUrl, webhook, answerTimeoutMs, disconnected.signal);
      const behaviourOf = (username: string) =>
        endpoints.find(username) && (behaviours.get(username) ?? ("never" as const));
      return { callId, document: sent, ...simulateCall(document, behaviourOf) };
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      return sendProblem(reply, error);
    }
  });
}

/** Rings the registered phones. The caller hangs up when the client disconnects. */
async function placeCall({ wait, ...call }: CallRequest, reply: FastifyReply, { calls }: Sbc) {
  const placed = calls.place(call);
  if (!placed) {
    const error = `${calls.list().filter(({ state }) => state !== "ended").length} calls are in progress, the maximum.`;
    return reply.code(503).send({ error: `${error} End a call, or wait until one has ended.` });
  }
  const { callId, timeline } = placed.call;
  if (!wait) return { callId };
  // The client may have disconnected while the SBC was loaded.
  if (reply.raw.destroyed) placed.hangUp();
  else reply.raw.once("close", placed.hangUp);
  const { reason, sent } = await placed.ended;
  if (placed.call.problem) return sendProblem(reply, placed.call.problem);
  return { callId, document: sent, timeline: timeline.entries, endedAt: timeline.entries.at(-1)?.at, reason };
}

function sendProblem(reply: FastifyReply, { message, reasons }: AnswerError): FastifyReply {
  return reply.code(422).send({ error: message, reasons });
}
