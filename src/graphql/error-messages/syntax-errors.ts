import { type GraphQLError, getLocation, Lexer, type Token, TokenKind } from "graphql";
import { formatName } from "./message-parts.js";

/** What is wrong with the text of a document, and the setting that it exceeds, if it does. */
export interface SyntaxProblem {
  readonly message: string;
  readonly limit?: string;
  readonly maximum?: number;
}

/**
 * Describes why a document does not parse, by the token at the position of the error. Of strings and numbers, and of
 * names between parentheses, only the kind is shown: they may be values.
 */
export function describeSyntaxError({ source, positions }: GraphQLError, maxTokens: number): SyntaxProblem {
  const position = positions?.[0];
  if (!source || position === undefined) {
    return { message: "The document is nested too deeply to be parsed. Ask for less at once." };
  }
  const { line, column } = getLocation(source, position);
  const lexer = new Lexer(source);
  let parentheses = 0;
  const unexpected = (what: string) => ({
    message: `The document does not parse: unexpected ${what} at line ${line}, column ${column}.`,
  });
  for (let count = 1; ; count++) {
    const token = nextToken(lexer);
    if (!token) return unexpected("character, or a string or number that is not complete,");
    if (token.start >= position && count > maxTokens) {
      const message = `The document has more than ${maxTokens} tokens (MAX_TOKENS). Ask for less at once.`;
      return { message, limit: "MAX_TOKENS", maximum: maxTokens };
    }
    if (token.start >= position || token.kind === TokenKind.EOF)
      return unexpected(describeToken(token, parentheses));
    if (token.kind === TokenKind.PAREN_L) parentheses++;
    if (token.kind === TokenKind.PAREN_R) parentheses--;
  }
}

/** Returns the next token, or undefined if the text has no valid one. */
function nextToken(lexer: Lexer): Token | undefined {
  try {
    return lexer.advance();
  } catch {
    return undefined;
  }
}

function describeToken({ kind, value }: Token, parentheses: number): string {
  switch (kind) {
    case TokenKind.EOF:
      return "end of the document";
    case TokenKind.NAME:
      return parentheses > 0 ? "name" : `name ${formatName(value)}`;
    case TokenKind.STRING:
    case TokenKind.BLOCK_STRING:
      return "string";
    case TokenKind.INT:
    case TokenKind.FLOAT:
      return "number";
    default:
      return `\`${kind}\``;
  }
}
