import { GatewayError } from "../errors.js";
import type { Secret } from "../secret.js";
import { isWrite, outcomeUnknown } from "./failure.js";
import { Mismatch } from "./mismatch.js";
import {
  type Answer,
  type Operation,
  PAGE_SIZE,
  type Parameters,
  type SipEndpointPage,
  shapes,
} from "./protocol.js";
import { isRedirection, parseBody, type Reply, readCode } from "./reply.js";

const DAY_MS = 86_400_000;
/** A word, with its punctuation, or a short number. */
const PROSE = /^[("']?[\p{L}_]+(?:['’/-][\p{L}_]+)*[.,;:!?)"']*$|^\d{1,6}[.,;:%]*$/u;
/** HTTP 408, 429, 503 and 511: the request was not received whole, was too many, or did not pass a login page. */
const NOT_BEGUN: readonly unknown[] = [408, 429, 503, 511];

/**
 * Reads the response to a request as `parseReply` does. When that of a write cannot be read, its outcome is unknown.
 */
export function readReply<O extends Operation>(
  operation: O,
  parameters: Parameters,
  reply: Reply,
  secret: Secret,
): Answer<O> | null {
  try {
    return parseReply(operation, parameters, reply, secret);
  } catch (error) {
    // After any other failure that may pass nobody can tell.
    const { code, retryable, upstreamCode } = error instanceof GatewayError ? error.extensions : {};
    const isLost = retryable && code !== "OUTCOME_UNKNOWN" && !NOT_BEGUN.includes(upstreamCode);
    throw isWrite(operation) && isLost ? new GatewayError(...outcomeUnknown(operation)) : error;
  }
}

/**
 * Parses a response of PIOPIY and compares it with its request. Returns the body of a success, or null for PIOPIY's 400, which means
 * "the name is taken" for add_sip and "there is no such name" for get_sip, update_sip and remove_sip. Success is HTTP 2xx
 * with a body whose code is 200; otherwise the body's code decides, then the HTTP status, since PIOPIY's
 * documents leave open which of the two carries a refusal.
 *
 * @param secret the account's: it and the password are struck out of PIOPIY's own words, as they stand or as JSON
 * @throws GatewayError for everything else; the message may repeat what PIOPIY said
 */
function parseReply<O extends Operation>(
  operation: O,
  parameters: Parameters,
  reply: Reply,
  secret: Secret,
): Answer<O> | null {
  const body = parseBody(reply);
  const code = readCode(body);
  const delivered = reply.status >= 200 && reply.status < 300;
  if (delivered && code === 200) return readSuccess(operation, parameters, body);
  const spoken = code === 200 ? undefined : code;
  if (spoken === undefined && delivered) {
    const found =
      reply.unreadable ?? (body ? "an object without a code" : "something that is not a JSON object");
    throw new GatewayError("UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with ${found}.`);
  }
  // A page with HTTP 400 comes from something in front of PIOPIY, and says nothing about the name.
  const isPage = body === undefined && reply.body?.length !== 0;
  if ((spoken ?? reply.status) === 400 && !isPage && operation !== "list_sip") return null;
  throw readRefusal(operation, spoken, reply, readMessage(body, [secret, parameters.password]));
}

function readSuccess<O extends Operation>(operation: O, parameters: Parameters, body: unknown): Answer<O> {
  const { success, data, error } = shapes[operation].safeParse(body);
  if (!success) {
    const wrong = error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new Mismatch(
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY answered ${operation} without what its documents promise; missing or wrong: ${wrong}.`,
    );
  }
  const difference = isPage(data)
    ? differenceOfPage(data, parameters)
    : differenceOfEndpoint(data, parameters);
  if (difference) throw mismatch(operation, difference);
  const { password } = parameters;
  return (password ? { ...data, password } : data) as Answer<O>;
}

/** Says how a page differs from the one that was requested; undefined when it does not. */
function differenceOfPage({ count, rows }: SipEndpointPage, { page = 1 }: Parameters): string | undefined {
  const expected = Math.max(0, Math.min(PAGE_SIZE, count - PAGE_SIZE * (page - 1)));
  return rows.length === expected
    ? undefined
    : `${rows.length} rows on page ${page}, where a list of ${count} has ${expected}`;
}

/** The same for one endpoint. A password that PIOPIY masks does not differ. */
function differenceOfEndpoint(
  found: { readonly username: string; readonly password?: Secret | undefined },
  { username, password }: Parameters,
): string | undefined {
  if (found.username !== username) return "another username than it was sent";
  return password && found.password && !found.password.equals(password)
    ? "another password than it was sent"
    : undefined;
}

function isPage(data: object): data is SipEndpointPage {
  return "rows" in data;
}

/** After a write it is not known what was written. */
function mismatch(operation: Operation, difference: string): Mismatch {
  const problem = `PIOPIY answered ${operation} with ${difference}`;
  return isWrite(operation)
    ? new Mismatch(
        "OUTCOME_UNKNOWN",
        `${problem}, and does not show what became of it. Repeating the mutation is safe; so is reading the endpoint.`,
      )
    : new Mismatch("UPSTREAM_INVALID_RESPONSE", `${problem}.`);
}

/** `spoken` is the code in the body; without one, the HTTP status speaks. */
function readRefusal(
  operation: Operation,
  spoken: number | undefined,
  reply: Reply,
  message: string,
): GatewayError {
  const code = spoken ?? reply.status;
  const extensions = { upstreamCode: code };
  if (code === 420) {
    return new GatewayError(
      "UPSTREAM_UNAUTHENTICATED",
      "PIOPIY refuses this gateway's account: the operator must check PIOPIY_APP_ID and PIOPIY_SECRET.",
      extensions,
    );
  }
  if (isRedirection(reply)) {
    return new GatewayError(
      "UPSTREAM_REJECTED",
      `PIOPIY answered ${operation} with the redirection HTTP ${reply.status}, which the gateway does not follow: the operator must check PIOPIY_URL.`,
      extensions,
    );
  }
  // In a body 501 and 502 say that a field is missing; as a bare status they are an outage.
  const missingField = spoken === 501 || spoken === 502;
  if (code === 408 || code === 429 || (code >= 500 && code < 600 && !missingField)) {
    return new GatewayError(
      "UPSTREAM_UNAVAILABLE",
      `PIOPIY answered ${operation} with ${code}${message}. Try again later.`,
      { ...extensions, ...readRetryAfter(reply.retryAfter) },
    );
  }
  return new GatewayError(
    "UPSTREAM_REJECTED",
    `PIOPIY refused ${operation} with code ${code}${message}.`,
    extensions,
  );
}

/**
 * PIOPIY's own words, one line of 200 characters at most, to be shown and never to be matched. They are left out unless they are
 * prose without any secret: whatever else stands there may repeat what was sent, in some encoding, or tell about another endpoint.
 */
function readMessage(
  body: Record<string, unknown> | undefined,
  secrets: readonly (Secret | undefined)[],
): string {
  const words = body?.msg ?? body?.message;
  if (typeof words !== "string") return "";
  const text = words.replace(/[\s\p{Cc}]+/gu, " ").trim();
  const isProse = text.split(" ").every((word) => PROSE.test(word));
  const folded = text.toLowerCase();
  const isSecret = secrets.some((secret) => secret && folded.includes(secret.reveal().toLowerCase()));
  return isProse && !isSecret ? ` ("${text.slice(0, 200)}")` : "";
}

/** `Retry-After` comes as seconds or as a date. A day stands for all that is longer. */
function readRetryAfter(header: string | undefined): { retryAfterMs?: number } {
  if (header === undefined) return {};
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.min(Math.max(0, Math.round(ms)), DAY_MS) } : {};
}
