import { isNativeError } from "node:util/types";
import { quote } from "./fields.js";
import { type CallDocument, callDocumentSchema } from "./pcmo-schema.js";

const LARGEST_ANSWER = 1_000_000;

/** What an answer URL said. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Posts the webhook to the answer URL. Redirects are answers like others and not followed, and the answer is read up
 * to 1 MB. `left` aborts when nobody waits for the call any longer.
 *
 * @throws {AnswerError} when there is no answer, or none in time
 */
export async function askAnswerUrl(
  url: string,
  { contentType, body }: Webhook,
  timeoutMs: number,
  left: AbortSignal,
): Promise<Answer> {
  const patience = new AbortController();
  const stop = () => patience.abort();
  const timer = setTimeout(stop, timeoutMs);
  left.addEventListener("abort", stop);
  try {
    const response = await fetch(url, {
      method: "POST",
      // A connection that is kept could be a dead one after the developer has started the server anew.
      headers: { "content-type": contentType, accept: "application/json", connection: "close" },
      body,
      redirect: "manual",
      signal: patience.signal,
    });
    return { status: response.status, headers: response.headers, text: await readText(response) };
  } catch (error) {
    if (error instanceof AnswerError) throw error;
    if (patience.signal.aborted) {
      throw new AnswerError([
        `It gave no whole answer within ${timeoutMs} ms. Answer at once, or raise EMULATOR_ANSWER_TIMEOUT_MS.`,
      ]);
    }
    throw new AnswerError([
      `It cannot be reached, or broke off (${causeOf(error)}). Is a server running at ${url}?`,
    ]);
  } finally {
    clearTimeout(timer);
    left.removeEventListener("abort", stop);
  }
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) {
      throw new AnswerError([`Its answer is larger than ${LARGEST_ANSWER} bytes. Send only the document.`]);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What Node's fetch hides behind "fetch failed". */
function causeOf(error: unknown): string {
  const cause = isNativeError(error) ? (error.cause ?? error) : error;
  if (isNativeError(cause) && "code" in cause) return String(cause.code);
  const message = isNativeError(cause) ? cause.message : String(cause);
  return message === "bad port" ? "a port that fetch refuses, as browsers do: take another" : message;
}

/** How the webhook can be spelled; the newer samples of PIOPIY's documents come first. */
export const webhookSpellings = ["strings", "numbers", "form"] as const;

interface IncomingCall {
  readonly callId: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly webhook: (typeof webhookSpellings)[number];
}

/** What is posted to the answer URL. */
export interface Webhook {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Tells the answer URL of a call. The samples of 2022 and later have phone numbers as strings and an `action`, older
 * ones have numbers and none. A form is in no sample, but users have met one.
 */
export function spellWebhook({ callId, from, to, time, webhook }: IncomingCall): Webhook {
  const strings = { action: "inbound", from: String(from), to: String(to), time, cmiuuid: callId };
  if (webhook === "form") {
    const body = new URLSearchParams({ ...strings, time: String(time) }).toString();
    return { contentType: "application/x-www-form-urlencoded", body };
  }
  const fields = webhook === "numbers" ? { from, to, time, cmiuuid: callId } : strings;
  return { contentType: "application/json", body: JSON.stringify(fields) };
}

const MOST_REASONS = 50;

/** An answer URL that gave no document to follow. Each reason is one sentence; very many are cut off. */
export class AnswerError extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super("The answer URL gave no document that the call can follow.");
    const more = reasons.length - MOST_REASONS;
    this.reasons = more > 0 ? [...reasons.slice(0, MOST_REASONS), `There are ${more} more.`] : reasons;
  }
}

interface Read {
  /** As it came. */
  readonly sent: unknown;
  /** With the defaults of PIOPIY. */
  readonly document: CallDocument;
}

/**
 * Takes the document out of an answer: HTTP 200 with a JSON array. What PIOPIY does with any other is not documented.
 *
 * @throws {AnswerError} with all that is wrong
 */
export function readAnswer({ status, headers, text }: Answer): Read {
  if (status !== 200) {
    const location = headers.get("location");
    const redirect = location === null ? "" : ` It leads to ${quote(location)}, which is not followed.`;
    throw new AnswerError([`Expected HTTP status 200, got ${status} with ${begin(text)}.${redirect}`]);
  }
  const reasons: string[] = [];
  const contentType = headers.get("content-type");
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    reasons.push(`Expected the content type application/json, got ${quote(contentType ?? undefined)}.`);
  }

  const sent = parse(text);
  if (sent === undefined) throw new AnswerError([...reasons, `Expected JSON, got ${begin(text)}.`]);
  const { success, data, error } = callDocumentSchema.safeParse(sent);
  if (!success) reasons.push(...error.issues.map(({ path, message }) => `${place(path)}: ${message}.`));
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

function begin(text: string): string {
  return text === "" ? "an empty body" : quote(text);
}

/** Such as `document[0].call[1].user`. */
function place(path: readonly PropertyKey[]): string {
  return `document${path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")}`;
}
