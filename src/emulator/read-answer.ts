import { AnswerError } from "./answer-error.js";
import type { Answer } from "./ask-answer-url.js";
import { type CallDocument, callDocumentSchema } from "./call-document.js";
import { quote } from "./expected.js";

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
