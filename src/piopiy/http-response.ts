import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

/** An HTTP response of PIOPIY, not yet parsed. */
export interface HttpResponse {
  readonly status: number;
  /** Undefined if the body was not read completely. In this case, `unreadable` is the reason. */
  readonly body: Uint8Array | undefined;
  readonly unreadable?: string | undefined;
  /** The `Retry-After` header, if there was one. */
  readonly retryAfter?: string | undefined;
  /** The `Location` header, if there was one. */
  readonly location?: string | undefined;
  /** Milliseconds from the start of the request to the end of the response. */
  readonly ms: number;
}

/** Much more than the size of the largest valid response, which has ten rows of the list. */
const MAX_BYTES = 1_000_000;

/** Rejects bytes that are not UTF-8: a password with replacement characters would be invalid. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Receives the response to a request that was sent at the time `begun`. Rejects if there is no response. */
export function receiveResponse(
  request: Readable & { readonly response?: IncomingMessage },
  begun: number,
): Promise<HttpResponse> {
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
      if (length <= MAX_BYTES) return;
      finish(undefined, `more than ${MAX_BYTES} bytes`);
      request.destroy();
    });
    request.on("error", (error) => {
      const code = codeOf(error);
      if (code.startsWith("Z_")) finish(undefined, `a body that cannot be decompressed (${code})`);
      else reject(error);
    });
    request.once("close", reject); // A destroyed request emits only this event.
    request.once("end", () => finish(Buffer.concat(parts)));
  });
}

/** Returns only the code of an error of got (the HTTP client), since such an error contains the request. */
export function codeOf(error: unknown): string {
  const { code } = Object(error);
  return typeof code === "string" ? code : "unknown cause";
}

/** Returns the JSON object in the body, or undefined if there is none. The body of a redirect is not a result, so it is ignored. */
export function parseBody(response: HttpResponse): Record<string, unknown> | undefined {
  if (isRedirection(response)) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(response.body));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Parses the code of a body. PIOPIY writes success as `"cmi-200"`, and in some places as `"cmi-2000"`, `"200"` or `200`. */
export function readCode(body: Record<string, unknown> | undefined): number | undefined {
  const code = body?.code;
  if (typeof code !== "string" && typeof code !== "number") return undefined;
  const digits = /^(?:cmi-)?(\d{3,4})$/.exec(String(code))?.[1];
  if (digits === undefined) return undefined;
  return digits === "2000" ? 200 : Number(digits);
}

/** Returns whether a proxy in front of PIOPIY has responded instead of PIOPIY: HTTP 5xx without a code in the body. */
export function isBareServerError(response: HttpResponse): boolean {
  return response.status >= 500 && readCode(parseBody(response)) === undefined;
}

/** Returns whether the response is a redirect. A redirected request has had no effect. */
export function isRedirection({ status }: HttpResponse): boolean {
  return status >= 300 && status < 400;
}
