import { z } from "zod";
import { GatewayError } from "../errors.js";
import { Secret } from "../secret.js";

/** The five calls of PIOPIY's SIP endpoint API. */
export type Operation = "add_sip" | "get_sip" | "update_sip" | "list_sip" | "remove_sip";

/** An HTTP answer of PIOPIY, unread. */
export interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
  /** The `Retry-After` header, if there was one. */
  readonly retryAfter?: string | undefined;
}

/** Far above the largest honest answer, ten rows of a list. */
export const MAX_REPLY_BYTES = 1_000_000;

/** Refuses what is not UTF-8: a password with replacement characters in it would open nothing. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

const flag = z.union([
  z.boolean(),
  z.enum(["true", "false"]).transform((word) => word === "true"),
  z.union([z.literal(0), z.literal(1)]).transform((digit) => digit === 1),
]);

const named = z.object({ username: z.string().min(1) });
const credentials = named.extend({ password: z.string().transform((text) => new Secret(text)) });
const sipEndpoint = credentials
  .extend({
    connect_URL: z.string().min(1),
    audio: flag,
    video: flag,
    type: z
      .string()
      .toUpperCase()
      .pipe(z.enum(["SIP", "PSTN"])),
  })
  .transform(({ connect_URL, ...rest }) => ({ ...rest, connectUrl: connect_URL }));
const page = z
  .object({ list: z.object({ count: z.int().nonnegative(), rows: z.array(credentials) }) })
  .transform(({ list }) => list);

/** What a name and a password open: enough to register a softphone once the SBC is known. */
export type Credentials = z.output<typeof credentials>;
/** A SIP endpoint as PIOPIY describes it, renamed. */
export type SipEndpointRecord = z.output<typeof sipEndpoint>;
/** Ten rows or fewer of the list, and how many endpoints the account has in all. */
export type SipEndpointPage = z.output<typeof page>;

const shapes = {
  add_sip: sipEndpoint,
  get_sip: sipEndpoint,
  update_sip: credentials,
  list_sip: page,
  remove_sip: named,
};

/** What a successful call of this operation brings. */
export type Answer<O extends Operation> = z.output<(typeof shapes)[O]>;

/**
 * Reads what PIOPIY answered: the checked body of a success, or null for its 400, which means "the name is
 * taken" for add_sip and "there is no such name" for get_sip, update_sip and remove_sip. Success is HTTP 2xx
 * with a body whose code is 200; otherwise the body's code decides, then the HTTP status, since PIOPIY's
 * documents leave open which of the two carries a refusal.
 *
 * @param secrets texts that are struck out of PIOPIY's own words, should it repeat what it was sent, as it stands or as JSON
 * @throws GatewayError for everything else; the message may repeat what PIOPIY said
 */
export function readReply<O extends Operation>(
  operation: O,
  reply: Reply,
  secrets: readonly Secret[],
): Answer<O> | null {
  const body = parseObject(reply.body);
  const code = readCode(body?.code);
  const delivered = reply.status >= 200 && reply.status < 300;
  if (delivered && code === 200) {
    const answer = shapes[operation].safeParse(body);
    if (answer.success) return answer.data as Answer<O>;
    const wrong = answer.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new GatewayError(
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY answered ${operation} without what its documents promise; missing or wrong: ${wrong}.`,
    );
  }
  const spoken = code === 200 ? undefined : code;
  if (spoken === undefined && delivered) {
    const found = body ? "an object without a code" : "something that is not a JSON object";
    throw new GatewayError("UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with ${found}.`);
  }
  return readRefusal(operation, spoken, reply, readMessage(body, secrets));
}

/** `spoken` is the code in the body; without one, the HTTP status speaks. */
function readRefusal(operation: Operation, spoken: number | undefined, reply: Reply, message: string): null {
  const code = spoken ?? reply.status;
  if (code === 400 && operation !== "list_sip") return null;
  if (code === 420) {
    throw new GatewayError(
      "UPSTREAM_UNAUTHENTICATED",
      "PIOPIY refuses this gateway's account: the operator must check PIOPIY_APP_ID and PIOPIY_SECRET.",
      { upstreamCode: code },
    );
  }
  // In a body 501 and 502 say that a field is missing; as a bare status they are an outage.
  const missingField = spoken === 501 || spoken === 502;
  if (code === 429 || (code >= 500 && code < 600 && !missingField)) {
    throw new GatewayError(
      "UPSTREAM_UNAVAILABLE",
      `PIOPIY answered ${operation} with ${code}${message}. Try again later.`,
      {
        upstreamCode: code,
        ...readRetryAfter(reply.retryAfter),
      },
    );
  }
  if (spoken === undefined && code < 400) {
    throw new GatewayError("UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with HTTP ${code}.`);
  }
  throw new GatewayError("UPSTREAM_REJECTED", `PIOPIY refused ${operation} with code ${code}${message}.`, {
    upstreamCode: code,
  });
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** PIOPIY spells success `"cmi-200"`, and elsewhere `"cmi-2000"`, `"200"` or `200`. */
function readCode(code: unknown): number | undefined {
  if (typeof code !== "string" && typeof code !== "number") return undefined;
  const digits = /^(?:cmi-)?(\d{3,4})$/.exec(String(code))?.[1];
  if (digits === undefined) return undefined;
  return digits === "2000" ? 200 : Number(digits);
}

/** PIOPIY's own words, one line of 200 characters at most, to be shown and never to be matched. */
function readMessage(body: Record<string, unknown> | undefined, secrets: readonly Secret[]): string {
  const words = body?.msg ?? body?.message;
  if (typeof words !== "string" || words === "") return "";
  const spellings = secrets
    .map((secret) => secret.reveal())
    .filter(Boolean)
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  const safe = spellings.reduce((text, spelling) => text.replaceAll(spelling, "***"), words);
  return ` ("${safe.replace(/[\s\p{Cc}]+/gu, " ").slice(0, 200)}")`;
}

/** `Retry-After` comes as seconds or as a date. */
function readRetryAfter(header: string | undefined): { retryAfterMs?: number } {
  if (header === undefined) return {};
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, Math.round(ms)) } : {};
}
