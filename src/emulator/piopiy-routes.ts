import { once } from "node:events";
import { STATUS_CODES } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Endpoints } from "./endpoints.js";
import type { Fault, Faults } from "./faults.js";
import {
  type Body,
  type Fields,
  type OperationName,
  operationNames,
  perform,
  Refusal,
} from "./operations.js";
import type { CallRecord } from "./request-log.js";
import type { EmulatorSettings } from "./settings.js";

/** PIOPIY's five calls, with the faults that were asked for. */
export function addPiopiyRoutes(server: FastifyInstance, state: EmulatorState): void {
  for (const operation of operationNames) {
    server.post(
      `/v1/endpoint/${operation}`,
      {
        // A request that HTTP itself finds wrong (its length, its content type) is one more malformed body.
        errorHandler(error, request, reply) {
          if ((error.statusCode ?? 500) >= 500) throw error;
          return serve(operation, request, reply, state);
        },
      },
      (request, reply) => serve(operation, request, reply, state),
    );
  }
}

async function serve(
  operation: OperationName,
  request: FastifyRequest,
  reply: FastifyReply,
  { settings, endpoints, calls, faults }: EmulatorState,
): Promise<FastifyReply> {
  const body = readBody(request);
  const call = calls.begin(operation, body);
  reply.raw.once("close", () => calls.end(call, reply.raw.headersSent ? reply.statusCode : null));
  // A call ends in the record before its answer leaves: whoever has the answer finds it there.
  const cut = () => {
    calls.end(call);
    reply.hijack();
    // A reset fails on a connection that its caller is closing already, and Node then keeps it for ever.
    const { socket } = request.raw;
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
    return reply;
  };
  const page = (status: number, text: string) => {
    calls.end(call, status);
    return sendHtmlPage(reply, status, text);
  };

  const fault = faults.take(operation, call.username);
  if (fault) call.fault = fault.kind;
  if (fault?.kind === "reset") return cut();
  if (fault?.kind === "garbage")
    return page(200, "The service is being looked after. Please come back later.");
  if (fault?.kind === "status") {
    if (fault.retryAfter !== undefined) reply.header("retry-after", fault.retryAfter);
    const status = fault.status ?? 503;
    return page(status, STATUS_CODES[status] ?? String(status));
  }
  if (fault && (await isCutShort(fault, reply, faults.released))) return cut();

  const answer = spell(perform(operation, body, settings, endpoints), settings);
  if (fault?.kind === "lose-reply") return cut();
  calls.end(call, answer.status, answer.body.code);
  return reply.code(answer.status).send(answer.body);
}

/** Holds a call back as its fault says; true when it must end without its work. */
async function isCutShort(fault: Fault, reply: FastifyReply, released: AbortSignal): Promise<boolean> {
  try {
    if (fault.kind === "latency") await setTimeout(fault.ms, undefined, { signal: released });
    if (fault.kind === "hang") await once(reply.raw, "close", { signal: released });
    return fault.kind === "hang";
  } catch {
    return true;
  }
}

function readBody(request: FastifyRequest): Body {
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) return undefined;
  try {
    const value: unknown = JSON.parse(String(request.body));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the routes of one emulator share. */
export interface EmulatorState {
  readonly settings: EmulatorSettings;
  readonly endpoints: Endpoints;
  readonly calls: CallRecord;
  readonly faults: Faults;
}

/** An answer as it goes over the wire. */
interface Answer {
  readonly status: number;
  readonly body: { readonly code: string | number; readonly [field: string]: unknown };
}

/** Gives an outcome the status, the code and the booleans that the settings ask for. */
function spell(
  outcome: Fields | Refusal,
  settings: Pick<EmulatorSettings, "errors" | "codes" | "booleans">,
): Answer {
  const code = (number: number) => (settings.codes === "number" ? number : `cmi-${number}`);
  if (outcome instanceof Refusal) {
    const mark = settings.codes === "number" ? { error: true } : {};
    return {
      status: settings.errors === "status" ? outcome.code : 200,
      body: { code: code(outcome.code), ...mark, msg: outcome.message },
    };
  }
  const fields = settings.booleans === "string" ? booleansAsStrings(outcome) : outcome;
  return { status: 200, body: { code: code(200), ...fields } };
}

function booleansAsStrings(fields: Fields): Fields {
  const spelled = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "boolean" ? String(value) : value,
  ]);
  return Object.fromEntries(spelled);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Answers with a page as Express makes one of an error, the text escaped. */
export function sendHtmlPage(reply: FastifyReply, status: number, text: string): FastifyReply {
  const escaped = text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return reply
    .code(status)
    .header("content-security-policy", "default-src 'none'")
    .header("x-content-type-options", "nosniff")
    .type("text/html; charset=utf-8")
    .send(
      `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n` +
        `<body>\n<pre>${escaped}</pre>\n</body>\n</html>\n`,
    );
}
