/** An HTTP response of PIOPIY, not yet parsed. */
export interface Reply {
  readonly status: number;
  /** Undefined when the body was not read to its end; `unreadable` then says why. */
  readonly body: Uint8Array | undefined;
  readonly unreadable?: string | undefined;
  /** The `Retry-After` header, if there was one. */
  readonly retryAfter?: string | undefined;
}

/** Far above the largest valid response, ten rows of a list. */
export const MAX_REPLY_BYTES = 1_000_000;

/** Rejects what is not UTF-8: a password with replacement characters in it would open nothing. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Returns the JSON object in the body; undefined for anything else. */
export function parseBody({ body }: Reply): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
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
