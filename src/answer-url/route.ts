import { createHash } from "node:crypto";
import type { FastifyError, FastifyInstance } from "fastify";
import { LRUCache } from "lru-cache";
import { clientKey } from "../auth/client.js";
import { FixedWindowCounter } from "../auth/fixed-window-counter.js";
import { buildConnectAction, type ConnectActionSpecification } from "../pcmo/connect-action.js";
import { type AnswerTokens, signatureOf } from "./token.js";

const CALL_ID_KEYS = ["cmiuuid", "cmiuid", "cmuuid", "conversation_uuid", "request_id"];
const MAX_CALL_ID_LENGTH = 100;

/**
 * Returns the id of the call from the body of PIOPIY's call webhook: JSON with one of several keys, or a form. Returns undefined
 * when no id is safe to log.
 */
function callIdOf(body: string): string | undefined {
  const fields = parseBody(body);
  const values = CALL_ID_KEYS.map((key) => fields.get(key)).filter((value) => typeof value === "string");
  const id = values[0]?.trim();
  return id && id.length <= MAX_CALL_ID_LENGTH && /^[\w.:-]+$/.test(id) ? id : undefined;
}

function parseBody(body: string): Map<string, unknown> {
  try {
    return new Map(Object.entries(Object(JSON.parse(body))));
  } catch {
    return new Map(new URLSearchParams(body));
  }
}

/** PIOPIY's webhooks are far smaller. */
const MAX_BODY_BYTES = 16_384;
const CALLS_PER_MINUTE = 6000;
const MINUTE_MS = 60_000;
/**
 * How long the route returns the same document for a call after its first webhook, even if the token expires in this time. Further
 * webhooks do not extend the time.
 */
const CALL_SECONDS = 3600;
const MAX_CALLS = 10_000;
const MAX_BYTES = 30 * 1024 * 1024;

/**
 * Adds the route for PIOPIY's call webhook, which returns the document of the token and sends no upstream request. The route is open
 * to the internet: the response to an invalid token is an empty 404, and no response contains a part of its request.
 *
 * @param targetsKey the key of the target list in the document
 */
export async function addAnswerRoute(
  server: FastifyInstance,
  tokens: AnswerTokens,
  targetsKey: "call" | "connect",
): Promise<void> {
  const limiter = new FixedWindowCounter(MINUTE_MS);
  const answeredCalls = new LRUCache<string, ConnectActionSpecification>({
    max: MAX_CALLS,
    maxSize: MAX_BYTES,
    // The size in memory: an object and a string for each target, and the specification itself.
    sizeCalculation: ({ call }) => call.reduce((bytes, { user }) => bytes + 100 + 2 * user.length, 1000),
  });
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
    // Fastify would reject an empty or invalid content type, although the document does not depend on the body.
    scope.addHook("onRequest", async ({ headers }) => {
      delete headers["content-type"];
    });
    scope.setErrorHandler((error: FastifyError, _request, reply) => {
      // The error handler of the server masks this error.
      if (error.statusCode === undefined) throw error;
      void reply.code(error.statusCode).send();
    });
    scope.post<{ Params: { token: string } }>(
      "/answer/:token",
      { bodyLimit: MAX_BODY_BYTES },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        const { token } = request.params;
        const callId = callIdOf(typeof request.body === "string" ? request.body : "");
        const callKey = callId && createHash("sha256").update(`${callId} ${token}`).digest("base64url");
        const answeredBefore = callKey ? answeredCalls.get(callKey) : undefined;
        const specification = tokens.verify(token) ?? answeredBefore;
        // A valid token has its own limit, so that other requests through PIOPIY's proxy do not use it up.
        const { count } = limiter.add(specification ? signatureOf(token) : clientKey(request));
        if (count > CALLS_PER_MINUTE) return reply.code(429).send();
        if (!specification) return reply.code(404).send();
        if (callKey && !answeredBefore) {
          answeredCalls.set(callKey, specification, { ttl: 1000 * CALL_SECONDS });
        }
        request.log.info({ callId }, "call answered");
        return buildConnectAction(specification, targetsKey);
      },
    );
  });
}
