import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { onRequestHookHandler } from "fastify";
import helmet from "helmet";

const YEAR_SECONDS = 31_536_000;

/**
 * Creates the hook that sets security headers: a response is data, and no page may load or frame it.
 *
 * @param hsts whether browsers may reach this host by https only, for a year (Strict-Transport-Security)
 */
export function setSecurityHeaders(hsts: boolean): onRequestHookHandler {
  return createHeadersHook({}, hsts);
}

/**
 * Creates the same hook for the GraphiQL page, which loads nothing from other hosts and runs only its own scripts. Its editor
 * sets styles inline and creates its workers from blobs.
 *
 * @param scriptHashes SHA-256 hashes of the page's scripts in base64
 */
export function setGraphiqlSecurityHeaders(
  scriptHashes: readonly string[],
  hsts: boolean,
): onRequestHookHandler {
  const directives = {
    scriptSrc: scriptHashes.map((hash) => `'sha256-${hash}'`),
    workerSrc: ["blob:"],
    styleSrc: ["'unsafe-inline'"],
    fontSrc: ["data:"],
    imgSrc: ["data:"],
    connectSrc: ["'self'"],
  };
  return createHeadersHook(directives, hsts);
}

/** Returns the content security policy of an HTML page that has one inline style and no script. */
export function pagePolicy(style: string): string {
  const hash = createHash("sha256").update(style).digest("base64");
  return computeHeaders({ styleSrc: [`'sha256-${hash}'`] }, false)["Content-Security-Policy"] ?? "";
}

/** Creates a hook that sets helmet's headers. */
function createHeadersHook(directives: Record<string, string[]>, hsts: boolean): onRequestHookHandler {
  const headers = computeHeaders(directives, hsts);
  return (_request, reply, done) => {
    reply.headers(headers);
    done();
  };
}

/** Returns helmet's headers. They are the same for all requests, so they are computed once. */
function computeHeaders(directives: Record<string, string[]>, hsts: boolean): Record<string, string> {
  const none = ["'none'"];
  const base = { defaultSrc: none, baseUri: none, formAction: none, frameAncestors: none };
  const setHelmetHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...base, ...directives } },
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: hsts && { maxAge: YEAR_SECONDS, includeSubDomains: false },
    xFrameOptions: { action: "deny" },
  });
  const headers: Record<string, string> = {};
  const setHeader = (name: string, value: string) => {
    headers[name] = value;
  };
  setHelmetHeaders(
    {} as IncomingMessage,
    { setHeader, removeHeader() {} } as unknown as ServerResponse,
    () => {},
  );
  return headers;
}
