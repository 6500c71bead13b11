import type { FastifyReply, FastifyRequest } from "fastify";
import { prefersHtml } from "./content-negotiation.js";
import { pagePolicy } from "./security-headers.js";

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }
body { margin: 0 auto; max-width: 44rem; padding: 1rem 1.25rem }
h1 { font-size: 1.75rem; line-height: 1.25 }
h2 { font-size: 1.125rem; margin: 2rem 0 0.5rem }
p, ul { margin: 0.5rem 0 }
ul { padding-left: 1.25rem }
code { background: light-dark(#eef0f3, #2b2f36); border-radius: 0.25rem; font: 0.875rem/1.6 ui-monospace, monospace; padding: 0.125rem 0.25rem; overflow-wrap: anywhere }
pre { background: light-dark(#eef0f3, #2b2f36); border-radius: 0.5rem; overflow-x: auto; padding: 0.75rem 1rem }
pre code { overflow-wrap: normal; padding: 0 }
header { border-bottom: 1px solid light-dark(#c8ccd2, #4a4f58); padding-bottom: 0.5rem }
`;
const POLICY = pagePolicy(STYLE);

/** Returns whether a request comes from a browser in which a person opens an address. */
export function isVisit({ method, headers }: FastifyRequest): boolean {
  return (method === "GET" || method === "HEAD") && prefersHtml(headers.accept);
}

/**
 * Sends an HTML page, which may contain a host or a name of the request and so is not cached.
 *
 * @param content HTML
 */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  title: string,
  content: string,
): FastifyReply {
  return reply
    .headers({ "content-security-policy": POLICY, "cache-control": "no-store" })
    .type("text/html; charset=utf-8")
    .send(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} - PIOPIY GraphQL Gateway</title>
<style>${STYLE}</style>
</head>
<body>
<header><a href="${rootOf(request)}">PIOPIY GraphQL Gateway</a></header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`);
}

/** Returns the address of the gateway's first page, relative to the requested one: a proxy may serve the gateway under a path. */
export function rootOf({ url }: FastifyRequest): string {
  const [path = ""] = url.split("?", 1);
  return "../".repeat(path.split("/").length - 2) || "./";
}

/** Returns a text as HTML. Words between backticks become code. */
export function toHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/`([^`]*)`/g, "<code>$1</code>");
}
