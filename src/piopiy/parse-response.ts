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
/** Matches a word with its punctuation, or a short number. */
const PROSE = /^[("']?[\p{L}_]+(?:['’/-][\p{L}_]+)*[.,;:!?)"']*$|^\d{1,6}[.,;:%]*$/u;
/** HTTP statuses after which a write has not taken effect: request timeout, rate limit, unavailable, login page of a network. */
const NOT_BEGUN: readonly unknown[] = [408, 429, 503, 511];

/**
 * Parses the response to a request and compares it with the request. Returns the body of a success, or null for PIOPIY's 400,
 * which means "the name is taken" for add_sip and "there is no such name" for get_sip, update_sip and remove_sip. A response is a
 * success if the HTTP status is 2xx and the code in the body is 200. For an error, the code in the body decides, or if it is
 * missing, the HTTP status: PIOPIY's documentation does not say which of the two reports an error.
 *
 * @param secret the account's secret. A message of PIOPIY that contains this secret or the password is omitted
 * @throws UpstreamError for any other response; its message may quote the message of PIOPIY. If the response to a write cannot be
 * read, the code is OUTCOME_UNKNOWN
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
    // The kind is not `mismatch`, since the write may be sent again after a read of the endpoint.
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
      response.unreadable ?? (body ? "a JSON object without a code" : "a body that is not a JSON object");
    throw new UpstreamError(
      "response",
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY responded to ${operation} with ${found}.`,
    );
  }
  // HTTP 400 with a body that is not JSON comes from a proxy in front of PIOPIY. It does not report that the name is taken or
  // unknown.
  const isPage = body === undefined && response.body?.length !== 0;
  if ((errorCode ?? response.status) === 400 && !isPage && operation !== "list_sip") return null;
  throw refusal(operation, errorCode, response, readMessage(body, [secret, parameters.password]));
}

function parseSuccess(operation: Operation, parameters: AnyParameters, body: unknown): object {
  const { success, data, error } = operations[operation].body.safeParse(body);
  if (!success) {
    const fields = error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new UpstreamError(
      "mismatch",
      "UPSTREAM_INVALID_RESPONSE",
      `PIOPIY responded to ${operation} with missing or invalid fields: ${fields}.`,
    );
  }
  const difference = isPage(data)
    ? differenceOfPage(data, parameters)
    : differenceOfEndpoint(data, parameters);
  if (difference) throw mismatch(operation, difference);
  const { password } = parameters;
  return password ? { ...data, password } : data;
}

/** Describes how a page differs from the requested page. Returns undefined if it does not. */
function differenceOfPage({ count, rows }: SipEndpointPage, { page = 1 }: AnyParameters): string | undefined {
  const expected = Math.max(0, Math.min(PAGE_SIZE, count - PAGE_SIZE * (page - 1)));
  return rows.length === expected
    ? undefined
    : `${rows.length} rows on page ${page}, where a list of ${count} has ${expected}`;
}

/** Describes how an endpoint differs from the requested endpoint. A masked password does not count as a difference. */
function differenceOfEndpoint(
  found: { readonly username: string; readonly password?: Secret | undefined },
  { username, password }: AnyParameters,
): string | undefined {
  if (found.username !== username) return "a username that differs from the request";
  return password && found.password && !found.password.equals(password)
    ? "a password that differs from the request"
    : undefined;
}

function isPage(data: object): data is SipEndpointPage {
  return "rows" in data;
}

/** Returns the error for a response that does not match its request. For a write, the error is that the outcome is unknown. */
function mismatch(operation: Operation, difference: string): UpstreamError {
  const problem = `PIOPIY responded to ${operation} with ${difference}`;
  return operations[operation].kind === "write"
    ? new UpstreamError(
        "mismatch",
        "OUTCOME_UNKNOWN",
        `${problem}, so it is unknown whether the write took effect. It is safe to repeat the mutation or to read the endpoint.`,
      )
    : new UpstreamError("mismatch", "UPSTREAM_INVALID_RESPONSE", `${problem}.`);
}

/** @param errorCode the code in the body; without a code, the HTTP status is used */
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
      "PIOPIY rejects the account of this gateway: the operator must check PIOPIY_APP_ID and PIOPIY_SECRET.",
      extensions,
    );
  }
  if (isRedirection(response)) {
    return new UpstreamError(
      "response",
      "UPSTREAM_REJECTED",
      `PIOPIY responded to ${operation} with the redirect HTTP ${response.status}, which the gateway does not follow: the operator must check PIOPIY_URL.`,
      extensions,
    );
  }
  // In a body, 501 and 502 mean a missing field. As an HTTP status without a code, they mean an outage.
  const isMissingField = errorCode === 501 || errorCode === 502;
  if (code === 408 || code === 429 || (code >= 500 && code < 600 && !isMissingField)) {
    return new UpstreamError(
      isBareServerError(response) ? "outage" : "response",
      "UPSTREAM_UNAVAILABLE",
      `PIOPIY responded to ${operation} with code ${code}${message}. Try again later.`,
      { ...extensions, ...readRetryAfter(response.retryAfter) },
    );
  }
  return new UpstreamError(
    isBareServerError(response) ? "outage" : "response",
    "UPSTREAM_REJECTED",
    `PIOPIY rejected ${operation} with code ${code}${message}.`,
    extensions,
  );
}

/**
 * Returns PIOPIY's message for display, in one line of at most 200 characters. Programs must not parse it. Returns an empty text
 * if the message contains a secret, or is not made of words: such a message may repeat the request in some encoding, or describe
 * another endpoint.
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

/** Parses `Retry-After`, which is a number of seconds or a date. Longer times are limited to one day. */
function readRetryAfter(header: string | undefined): { retryAfterMs?: number } {
  if (header === undefined) return {};
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.min(Math.max(0, Math.round(ms)), DAY_MS) } : {};
}
