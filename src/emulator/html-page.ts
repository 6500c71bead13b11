import type { FastifyReply } from "fastify";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Answers with a page as Express makes one of an error, the text escaped. */
export function sendHtmlPage(reply: FastifyReply, status: number, text: string): FastifyReply {
  const escaped = text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return reply
    .code(status)
    .header("content-security-policy", "default-src 'none'")
    .header("x-content-type-options", "nosniff")
    .type("text/html; charset=utf-8")
    .send(
      `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n` +
        `<body>\n<pre>${escaped}</pre>\n</body>\n</html>\n`,
    );
}
