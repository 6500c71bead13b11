import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

/** An HTTP response of PIOPIY, not yet parsed. */
export interface Reply {
  readonly status: number;
  /** Undefined when the body was not read to its end; `unreadable` then says why. */
  readonly body: Uint8Array | undefined;
  readonly unreadable?: string | undefined;
  /** The `Retry-After` header, if there was one. */
  readonly retryAfter?: string | undefined;
  /** The `Location` header, if there was one. */
  readonly location?: string | undefined;
  /** From the start of the request to the end of the response. */
  readonly ms: number;
}

/** Far above the largest valid response, ten rows of a list. */
const MAX_REPLY_BYTES = 1_000_000;

/** Rejects what is not UTF-8: a password with replacement characters in it would open nothing. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The whole reply to a request that began at this time, or why its body cannot be read. */
export function receiveReply(
  request: Readable & { readonly response?: IncomingMessage },
  begun: number,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (body: Buffer | undefined, unreadable?: string) => {
      const { statusCode = 0, headers = {} } = request.response ?? {};
      const { "retry-after": retryAfter, location } = headers;
      resolve({ status: statusCode, body, unreadable, retryAfter, location, ms: performance.now() - begun });
    };
    request.on("data", (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length <= MAX_REPLY_BYTES) return;
      finish(undefined, `more than ${MAX_REPLY_BYTES} bytes`);
      request.destroy();
    });
    request.on("error", (error) => {
      const code = codeOf(error);
      if (code.startsWith("Z_")) finish(undefined, `a body that cannot be decompressed (${code})`);
      else reject(error);
    });
    request.once("close", reject); // all that a request which was ended tells
    request.once("end", () => finish(Buffer.concat(parts)));
  });
}

/** Of got's error only its short code is told on. */
export function codeOf(error: unknown): string {
  const { code } = Object(error);
  return typeof code === "string" ? code : "unknown cause";
}

/** Returns the JSON object in the body; undefined for anything else, and in a redirection, whose body is not PIOPIY's result. */
export function parseBody(reply: Reply): Record<string, unknown> | undefined {
  if (isRedirection(reply)) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(reply.body));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Parses the code of a body. PIOPIY spells success `"cmi-200"`, and elsewhere `"cmi-2000"`, `"200"` or `200`. */
export function readCode(body: Record<string, unknown> | undefined): number | undefined {
  const code = body?.code;
  if (typeof code !== "string" && typeof code !== "number") return undefined;
  const digits = /^(?:cmi-)?(\d{3,4})$/.exec(String(code))?.[1];
  if (digits === undefined) return undefined;
  return digits === "2000" ? 200 : Number(digits);
}

/** Tells whether something in front of PIOPIY has replied in its place: HTTP 5xx without a code in the body. */
export function isBareServerError(reply: Reply): boolean {
  return reply.status >= 500 && readCode(parseBody(reply)) === undefined;
}

/** Tells whether the response leads elsewhere: the request has had no effect. */
export function isRedirection({ status }: Reply): boolean {
  return status >= 300 && status < 400;
}
