import type { Secret } from "../secret.js";
import { type HttpResponse, isBareServerError, isRedirection, parseBody, readCode } from "./http-response.js";
import {
  type AnyParameters,
  type Operation,
  operations,
  PAGE_SIZE,
  type SipEndpointPage,
} from "./protocol.js";
import { outcomeUnknown, UpstreamError } from "./upstream-error.js";

const DAY_MS = 86_400_000;
/** A word, with its punctuation, or a short number. */
const PROSE = /^[("']?[\p{L}_]+(?:['’/-][\p{L}_]+)*[.,;:!?)"']*$|^\d{1,6}[.,;:%]*$/u;
/** HTTP 408, 429, 503 and 511: the request was not received whole, was too many, or did not pass a login page. */
const NOT_BEGUN: readonly unknown[] = [408, 429, 503, 511];

/**
 * Parses the response to a request and compares it with the request. Returns the body of a success, or null for PIOPIY's 400, which
 * means "the name is taken" for add_sip and "there is no such name" for get_sip, update_sip and remove_sip. Success is HTTP 2xx with a
 * body whose code is 200; otherwise the body's code decides, then the HTTP status, since PIOPIY's documents leave open which of
 * the two carries a refusal.
 *
 * @param secret the account's: it and the password are removed from PIOPIY's own words, as they stand or as JSON
 * @throws UpstreamError for everything else; the message may repeat what PIOPIY said. When the response to a write cannot be read, its
 * outcome is unknown.
 */
export function parseResponse(
  operation: Operation,
  parameters: AnyParameters,
  response: HttpResponse,
  secret: Secret,
): object | null {
  try {
    return parse(operation, parameters, response, secret);
  } catch (error) {
    if (!(error instanceof UpstreamError) || operations[operation].kind === "read") throw error;
    const { code, retryable, upstreamCode } = error.extensions;
    const isLost = retryable && code !== "OUTCOME_UNKNOWN" && !NOT_BEGUN.includes(upstreamCode);
    // It may be repeated after a look at the endpoint, so it is no mismatch.
    throw isLost ? outcomeUnknown(operation, error.kind === "outage" ? "outage" : "response") : error;
  }
}

function parse(
  operation: Operation,
  parameters: AnyParameters,
  response: HttpResponse,
  secret: Secret,
): object | null {
  const body = parseBody(response);
  const code = readCode(body);
  const isSuccessStatus = response.status >= 200 && response.status < 300;
  if (isSuccessStatus && code === 200) return parseSuccess(operation, parameters, body);
  const errorCode = code === 200 ? undefined : code;
  if (errorCode === undefined && isSuccessStatus) {
    const found =
      response.unreadable ?? (body ? "an object without a code" : "something that is not a JSON object");
    throw new UpstreamError(
      "response",
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY answered ${operation} with ${found}.`,
    );
  }
  // A page with HTTP 400 comes from something in front of PIOPIY, and says nothing about the name.
  const isPage = body === undefined && response.body?.length !== 0;
  if ((errorCode ?? response.status) === 400 && !isPage && operation !== "list_sip") return null;
  throw refusal(operation, errorCode, response, readMessage(body, [secret, parameters.password]));
}

function parseSuccess(operation: Operation, parameters: AnyParameters, body: unknown): object {
  const { success, data, error } = operations[operation].body.safeParse(body);
  if (!success) {
    const wrong = error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new UpstreamError(
      "mismatch",
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY answered ${operation} without what its documents promise; missing or wrong: ${wrong}.`,
    );
  }
  const difference = isPage(data)
    ? differenceOfPage(data, parameters)
    : differenceOfEndpoint(data, parameters);
  if (difference) throw mismatch(operation, difference);
  const { password } = parameters;
  return password ? { ...data, password } : data;
}

/** Returns how a page differs from the one that was requested; undefined when it does not. */
function differenceOfPage({ count, rows }: SipEndpointPage, { page = 1 }: AnyParameters): string | undefined {
  const expected = Math.max(0, Math.min(PAGE_SIZE, count - PAGE_SIZE * (page - 1)));
  return rows.length === expected
    ? undefined
    : `${rows.length} rows on page ${page}, where a list of ${count} has ${expected}`;
}

/** The same for one endpoint. A password that PIOPIY masks does not differ. */
function differenceOfEndpoint(
  found: { readonly username: string; readonly password?: Secret | undefined },
  { username, password }: AnyParameters,
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
function mismatch(operation: Operation, difference: string): UpstreamError {
  const problem = `PIOPIY answered ${operation} with ${difference}`;
  return operations[operation].kind === "write"
    ? new UpstreamError(
        "mismatch",
        "OUTCOME_UNKNOWN",
        `${problem}, and does not show what became of it. Repeating the mutation is safe; so is reading the endpoint.`,
      )
    : new UpstreamError("mismatch", "UPSTREAM_INVALID_RESPONSE", `${problem}.`);
}

/** @param errorCode the code in the body; without one the HTTP status counts */
function refusal(
  operation: Operation,
  errorCode: number | undefined,
  response: HttpResponse,
  message: string,
): UpstreamError {
  const code = errorCode ?? response.status;
  const extensions = { upstreamCode: code };
  if (code === 420) {
    return new UpstreamError(
      "response",
      "UPSTREAM_UNAUTHENTICATED",
      "PIOPIY refuses this gateway's account: the operator must check PIOPIY_APP_ID and PIOPIY_SECRET.",
      extensions,
    );
  }
  if (isRedirection(response)) {
    return new UpstreamError(
      "response",
      "UPSTREAM_REJECTED",
      `PIOPIY answered ${operation} with the redirection HTTP ${response.status}, which the gateway does not follow: the operator must check PIOPIY_URL.`,
      extensions,
    );
  }
  // In a body 501 and 502 say that a field is missing; as a bare status they are an outage.
  const isMissingField = errorCode === 501 || errorCode === 502;
  if (code === 408 || code === 429 || (code >= 500 && code < 600 && !isMissingField)) {
    return new UpstreamError(
      isBareServerError(response) ? "outage" : "response",
      "UPSTREAM_UNAVAILABLE",
      `PIOPIY answered ${operation} with ${code}${message}. Try again later.`,
      { ...extensions, ...readRetryAfter(response.retryAfter) },
    );
  }
  return new UpstreamError(
    isBareServerError(response) ? "outage" : "response",
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
