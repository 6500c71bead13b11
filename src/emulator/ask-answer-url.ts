import { isNativeError } from "node:util/types";
import { AnswerError } from "./answer-error.js";
import type { Webhook } from "./webhook.js";

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
