import { isNativeError } from "node:util/types";
import { quote } from "./fields.js";
import { type CallDocument, pcmoSchema } from "./pcmo-schema.js";

const MAX_ANSWER_BYTES = 1_000_000;
const MAX_REASONS = 50;

/** The formats of the webhook. The first one is the format of the newer samples in PIOPIY's documentation. */
export const webhookFormats = ["strings", "numbers", "form"] as const;

export type WebhookFormat = (typeof webhookFormats)[number];

/** A call to a number. `from` is a phone number, or the username of an endpoint. */
interface IncomingCall {
  readonly callId: string;
  readonly from: number | string;
  readonly to: number | string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The request to the answer URL. */
interface WebhookRequest {
  readonly contentType: string;
  readonly body: string;
}

interface FetchedAnswer {
  /** The document as received. */
  readonly sent: unknown;
  /** The document with PIOPIY's defaults. */
  readonly document: CallDocument;
}

/** The answer URL did not return a usable document. Each reason is one sentence; at most 50 are listed. */
export class AnswerError extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super("The answer URL did not return a PCMO document that the emulator can execute.");
    const more = reasons.length - MAX_REASONS;
    this.reasons =
      more > 0 ? [...reasons.slice(0, MAX_REASONS), `There are ${more} more problems.`] : reasons;
  }
}

/**
 * Returns the webhook of a call. PIOPIY's samples of 2022 and later have phone numbers as strings and an `action`. Older samples
 * have phone numbers as numbers and no `action`. No sample is a form, but users have received forms.
 */
export function formatWebhook(
  { callId, from, to, time }: IncomingCall,
  format: WebhookFormat,
): WebhookRequest {
  const strings = { action: "inbound", from: String(from), to: String(to), time, cmiuuid: callId };
  if (format === "form") {
    const body = new URLSearchParams({ ...strings, time: String(time) }).toString();
    return { contentType: "application/x-www-form-urlencoded", body };
  }
  const fields = format === "numbers" ? { from, to, time, cmiuuid: callId } : strings;
  return { contentType: "application/json", body: JSON.stringify(fields) };
}

/**
 * Posts the webhook to the answer URL and returns the document of the response: HTTP 200 with a JSON array of up to
 * 1 MB. PIOPIY does not document what it does with any other response. Redirects are not followed. `disconnected` aborts
 * when the client that started the call disconnects.
 *
 * @throws {AnswerError} with all problems of the response
 */
export async function fetchAnswer(
  url: string,
  { contentType, body }: WebhookRequest,
  timeoutMs: number,
  disconnected: AbortSignal,
): Promise<FetchedAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      // The connection is not reused: developers often restart their server, and a connection to the old process would fail.
      headers: { "content-type": contentType, accept: "application/json", connection: "close" },
      body,
      redirect: "manual",
      signal: AbortSignal.any([timeout, disconnected]),
    });
    text = await readText(response);
  } catch (error) {
    if (error instanceof AnswerError) throw error;
    throw new AnswerError([
      timeout.aborted
        ? `The response was not complete within ${timeoutMs} ms. Respond faster, or increase EMULATOR_ANSWER_TIMEOUT_MS.`
        : `The request failed (${causeOf(error)}). Check that an HTTP server is running at ${url}.`,
    ]);
  }
  return readAnswer(response, text);
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new AnswerError([
        `The response is larger than ${MAX_ANSWER_BYTES} bytes. Send only the document.`,
      ]);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readAnswer({ status, headers }: Response, text: string): FetchedAnswer {
  const shown = text === "" ? "an empty body" : quote(text);
  if (status !== 200) {
    const location = headers.get("location");
    const redirect = location === null ? "" : ` The redirect to ${quote(location)} is not followed.`;
    throw new AnswerError([`Expected HTTP status 200, got ${status} with ${shown}.${redirect}`]);
  }
  const reasons: string[] = [];
  const contentType = headers.get("content-type") ?? undefined;
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    reasons.push(`Expected the content type application/json, got ${quote(contentType)}.`);
  }

  const sent = parse(text);
  if (sent === undefined) throw new AnswerError([...reasons, `Expected JSON, got ${shown}.`]);
  const { success, data, error } = pcmoSchema.safeParse(sent);
  if (!success) reasons.push(...error.issues.map(({ path, message }) => `${pathOf(path)}: ${message}.`));
  if (!success || reasons.length > 0) throw new AnswerError(reasons);
  return { sent, document: data };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Formats a path, such as `document[0].call[1].user`. */
function pathOf(keys: readonly PropertyKey[]): string {
  return `document${keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")}`;
}

/** Returns the cause of an error that Node's fetch reports as "fetch failed". */
function causeOf(error: unknown): string {
  const cause = isNativeError(error) ? (error.cause ?? error) : error;
  if (isNativeError(cause) && "code" in cause) return String(cause.code);
  const message = isNativeError(cause) ? cause.message : String(cause);
  return message === "bad port" ? "fetch blocks this port, as browsers do; use another port" : message;
}
