import { readFileSync } from "node:fs";
import type { FastifyInstance } from "fastify";

/** The files that `build.js` generates from `src/emulator/phone-page/`. */
const FILES = new URL("../../dist/phone-page/", import.meta.url);

const files = [
  ["/phone", "page.html", "text/html; charset=utf-8"],
  ["/phone/page.css", "page.css", "text/css; charset=utf-8"],
  ["/phone/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/phone/icon.svg", "icon.svg", "image/svg+xml"],
] as const;

/**
 * Adds the page `/phone`: a phone for the browser, which registers at the emulator. The page loads nothing from other hosts. Its files
 * are read when the emulator starts, because a later build may remove them.
 */
export function addPhonePage(server: FastifyInstance): void {
  server.get("/phone/", ({ url }, reply) => reply.redirect(`../phone${url.replace(/^[^?]*/, "")}`));
  for (const [path, name, type] of files) {
    const content = readFileSync(new URL(name, FILES));
    server.get(path, ({ host }, reply) =>
      reply
        .headers({
          // Some browsers do not count WebSockets of the page's own host as 'self'. The host has been validated by `hostGuard`.
          "content-security-policy":
            `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://${host} wss://${host}; ` +
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
          "permissions-policy": "camera=(self), microphone=(self)",
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
          "cache-control": "no-cache",
        })
        .type(type)
        .send(content),
    );
  }
}
