import { isIPv4 } from "node:net";
import type { FastifyReply, onRequestHookHandler } from "fastify";
import type { EmulatorSettings } from "./settings.js";

const MAX_SHOWN_LENGTH = 60;

/**
 * Rejects requests for foreign host names, except those for PIOPIY's five operations, which accept any name. A web page can
 * let its own name resolve to the emulator's address (DNS rebinding), but its visitor's browser still sends that name as
 * the Host header.
 */
export function hostGuard({ host, allowedHosts }: EmulatorSettings): onRequestHookHandler {
  const own = new Set([host, ...allowedHosts].map((name) => name.toLowerCase()));
  return (request, reply, done) => {
    if (request.url.startsWith("/v1/endpoint/")) {
      // PIOPIY's API is for servers, and a web page may know the published account.
      if (request.headers.origin === undefined) return done();
      const advice = "Send the request from a server, without an Origin header.";
      return reject(reply, 403, `Web pages may not use this API. ${advice}`);
    }
    const { host: [authority = "", ...more] = [] } = request.raw.headersDistinct;
    const name = hostName(authority);
    const local = request.socket.localAddress?.replace(/^::ffff:/, "");
    const isOwn = more.length === 0 && (own.has(name) || isLoopback(name) || name === local);
    // A target in absolute form can name another host than the header does.
    if (isOwn && /^[/*]/.test(request.url)) return done();
    const shown = JSON.stringify([authority, ...more].join(", ").slice(0, MAX_SHOWN_LENGTH));
    reject(
      reply,
      403,
      `The Host header is ${shown}. It must be localhost, the emulator's own address or one of EMULATOR_ALLOWED_HOSTS, and the ` +
        "request target a path. Add the host to EMULATOR_ALLOWED_HOSTS.",
    );
  };
}

/** Rejects what web pages send: the control routes are for tests and terminals, and change data. */
export const controlGuard: onRequestHookHandler = (request, reply, done) => {
  const { origin, "sec-fetch-site": site = "none", "content-type": type = "" } = request.headers;
  if (origin !== undefined || (site !== "same-origin" && site !== "none")) {
    const advice = "Send this from a test or a terminal, without an Origin header.";
    reject(reply, 403, `Web pages may not use the control routes. ${advice}`);
  } else if (request.method === "POST" && !/^application\/json\s*(;|$)/i.test(type)) {
    reject(reply, 415, "The content type must be application/json: with curl, use --json in place of -d.");
  } else done();
};

/** Returns the host of `host:port` as it is compared. A text of another form equals no name. */
function hostName(authority: string): string {
  const [, address, name = authority] =
    /^(?:\[([\da-f:.]+)\]|([\w.-]*?)\.?)(?::\d*)?$/i.exec(authority) ?? [];
  return (address ?? name).toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

function reject(reply: FastifyReply, status: number, error: string): void {
  void reply.code(status).send({ error });
}
