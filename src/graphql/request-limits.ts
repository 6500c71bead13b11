import { Lexer, Source, TokenKind } from "graphql";
import { GatewayError } from "../errors.js";

/** The maximum number of levels of lists and objects, in the JSON of a request and in a value of its document. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Returns whether a JSON text is deeper than 64 levels. Many functions that process values are recursive, so the depth is limited
 * before the text is parsed; this function is not recursive.
 */
export function isJsonTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= MAX_JSON_DEPTH; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code)) depth--;
  }
  return depth > MAX_JSON_DEPTH;
}

/** Returns the position of the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** Creates the error for JSON that is too deep. */
export function jsonDepthError(): GatewayError {
  return new GatewayError(
    "BAD_REQUEST",
    `The JSON has more than ${MAX_JSON_DEPTH} levels of lists and objects (JSON_DEPTH). Send a flatter value.`,
    { limit: "JSON_DEPTH", maximum: MAX_JSON_DEPTH },
  );
}

/**
 * The maximum number of nested brackets: the parser and the validation rules of graphql-js are recursive, and the stack is
 * limited.
 */
const MAX_NESTING = 1200;
/** The maximum number of lines: to find the line of each reported location, graphql-js reads the document from its start. */
const MAX_LINES = 2000;

const opening: readonly string[] = [TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L];
const closing: readonly string[] = [TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R];

/**
 * Rejects a document that is nested too deeply or has too many lines. So the stack and the time for parsing are limited.
 *
 * @param maxTokens the maximum number of tokens of a document. At most half of them are opening brackets, so a low maximum makes
 * the check of the brackets unnecessary
 */
export function enforceDocumentLimits(text: string, maxTokens: number): void {
  // As in GraphQL, a carriage return ends a line too.
  const lines = 1 + (text.match(/\r\n|\n|\r/g)?.length ?? 0);
  if (lines > MAX_LINES) throw documentError(`has ${lines} lines; the maximum is ${MAX_LINES}`);
  if (maxTokens > 2 * MAX_NESTING && bracketDepth(text) > MAX_NESTING) {
    throw documentError(`has more than ${MAX_NESTING} levels of brackets, which is the maximum`);
  }
}

/** Returns the deepest level of brackets, up to the first syntax error. */
function bracketDepth(text: string): number {
  const lexer = new Lexer(new Source(text));
  let depth = 0;
  let deepest = 0;
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      if (opening.includes(token.kind)) deepest = Math.max(deepest, ++depth);
      else if (closing.includes(token.kind)) depth--;
    }
  } catch {
    // The parser reports the syntax error.
  }
  return deepest;
}

function documentError(problem: string): GatewayError {
  return new GatewayError("GRAPHQL_PARSE_FAILED", `The document ${problem}. Send a smaller document.`);
}
