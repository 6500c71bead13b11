import { once } from "node:events";
import { STATUS_CODES } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Endpoints } from "./endpoints.js";
import type { Fault, Faults } from "./faults.js";
import {
  type Body,
  ErrorResponse,
  type Fields,
  type OperationName,
  operationNames,
  operations,
} from "./operations.js";
import type { RequestLog } from "./request-log.js";
import type { EmulatorSettings } from "./settings.js";

const GARBAGE = "The service is under maintenance. Please try again later.";
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The state that the routes of one emulator share. */
export interface EmulatorState {
  readonly settings: EmulatorSettings;
  readonly endpoints: Endpoints;
  readonly requestLog: RequestLog;
  readonly faults: Faults;
}

/** Adds the routes of PIOPIY's five operations, and applies injected faults. */
export function addPiopiyRoutes(server: FastifyInstance, state: EmulatorState): void {
  for (const operation of operationNames) {
    server.post(
      `/v1/endpoint/${operation}`,
      {
        // For a body that Fastify rejects, such as a body that is too large, the response is PIOPIY's error for an invalid body.
        errorHandler(error, request, reply) {
          if ((error.statusCode ?? 500) >= 500) throw error;
          return serve(operation, request, reply, state);
        },
      },
      (request, reply) => serve(operation, request, reply, state),
    );
  }
}

/** Sends an HTML error page in the style of Express. The text is escaped. */
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

async function serve(
  operation: OperationName,
  request: FastifyRequest,
  reply: FastifyReply,
  { settings, endpoints, requestLog, faults }: EmulatorState,
): Promise<FastifyReply> {
  const body = readBody(request);
  const entry = requestLog.begin(operation, body, request.headers);
  reply.raw.once("close", () => requestLog.end(entry, reply.raw.headersSent ? reply.statusCode : null));
  // An entry is completed before its response is sent, so that a client with the response finds it in the log.
  const cut = () => {
    requestLog.end(entry);
    reply.hijack();
    // Resetting a connection that the client is already closing fails, and Node then never closes it.
    const { socket } = request.raw;
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
    return reply;
  };
  const page = (status: number, text: string) => {
    requestLog.end(entry, status);
    return sendHtmlPage(reply, status, text);
  };

  const fault = faults.take(operation, entry.username);
  if (fault) entry.fault = fault.kind;
  if (fault?.kind === "reset") return cut();
  if (fault?.kind === "garbage") return page(200, GARBAGE);
  if (fault?.kind === "status") {
    if (fault.retryAfter !== undefined) reply.header("retry-after", fault.retryAfter);
    const status = fault.status ?? 503;
    return page(status, STATUS_CODES[status] ?? String(status));
  }
  if (fault && (await isCutShort(fault, reply, faults.released))) return cut();

  const response = formatResponse(operations[operation](body, settings, endpoints), settings);
  if (fault?.kind === "lose-reply") return cut();
  requestLog.end(entry, response.status, response.body.code);
  return reply.code(response.status).send(response.body);
}

/** Delays a request according to its fault. Returns true when the request must end without being executed. */
async function isCutShort(fault: Fault, reply: FastifyReply, released: AbortSignal): Promise<boolean> {
  try {
    if (fault.kind === "latency") await setTimeout(fault.ms, undefined, { signal: released });
    if (fault.kind === "hang") await once(reply.raw, "close", { signal: released });
    return fault.kind === "hang";
  } catch {
    return true;
  }
}

function readBody({ headers, body }: FastifyRequest): Body {
  if (!/^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "")) return undefined;
  try {
    const value = JSON.parse(String(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Formats a result. The settings choose the HTTP status of errors, the form of the code and the form of booleans. */
function formatResponse(
  result: Fields | ErrorResponse,
  { errors, codes, booleans }: EmulatorSettings,
): { status: number; body: Fields & { code: string | number } } {
  const code = (number: number) => (codes === "number" ? number : `cmi-${number}`);
  if (result instanceof ErrorResponse) {
    const mark = codes === "number" ? { error: true } : {};
    const status = errors === "status" ? result.code : 200;
    return { status, body: { code: code(result.code), ...mark, msg: result.message } };
  }
  const fields = Object.entries(result).map(([name, value]) => [
    name,
    typeof value === "boolean" && booleans === "string" ? String(value) : value,
  ]);
  return { status: 200, body: { code: code(200), ...Object.fromEntries(fields) } };
}
