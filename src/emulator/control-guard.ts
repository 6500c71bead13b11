import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";
import type { FastifyReply, onRequestHookHandler } from "fastify";
import type { EmulatorSettings } from "./settings.js";

const MAX_SHOWN_LENGTH = 60;

/**
 * Rejects requests with an unknown Host header, to protect against DNS rebinding: the host name of a web page can resolve to the
 * emulator's address, but the browser still sends the page's host name in the Host header. The routes of PIOPIY's five operations
 * accept any host name.
 */
export function hostGuard(settings: EmulatorSettings): onRequestHookHandler {
  const hasOwnHost = ownHost(settings);
  return (request, reply, done) => {
    if (request.url.startsWith("/v1/endpoint/")) {
      // PIOPIY's API is for servers. Without this check, a web page could use the default account, whose secret is published.
      if (request.headers.origin === undefined) return done();
      const advice = "Send the request from a server, without an Origin header.";
      return reject(reply, 403, `Web pages cannot use this API. ${advice}`);
    }
    // The host in a request target in absolute form can differ from the Host header.
    if (hasOwnHost(request.raw) && /^[/*]/.test(request.url)) return done();
    const { host = [""] } = request.raw.headersDistinct;
    const shown = JSON.stringify(host.join(", ").slice(0, MAX_SHOWN_LENGTH));
    reject(
      reply,
      403,
      "The Host header must be localhost, the emulator's own address or one of EMULATOR_ALLOWED_HOSTS, and the request target " +
        `must be a path (got the Host header ${shown}). Add the host to EMULATOR_ALLOWED_HOSTS.`,
    );
  };
}

/** Returns a function that returns whether a request has one Host header, and it is localhost, an address of the emulator or an allowed host. */
export function ownHost({ host, allowedHosts }: EmulatorSettings): (request: IncomingMessage) => boolean {
  const own = new Set([host, ...allowedHosts].map((name) => name.toLowerCase()));
  return ({ headersDistinct: { host: [authority = "", ...more] = [] }, socket }) => {
    const name = hostName(authority);
    const local = socket.localAddress?.replace(/^::ffff:/, "");
    return more.length === 0 && (own.has(name) || isLoopback(name) || name === local);
  };
}

/** Rejects requests from web pages: the control routes change data, and are for tests and terminals. */
export const controlGuard: onRequestHookHandler = (request, reply, done) => {
  const { origin, "sec-fetch-site": site = "none", "content-type": type = "" } = request.headers;
  if (origin !== undefined || (site !== "same-origin" && site !== "none")) {
    const advice = "Send the request from a test or a terminal, without an Origin header.";
    reject(reply, 403, `Web pages cannot use the control routes. ${advice}`);
  } else if (request.method === "POST" && !/^application\/json\s*(;|$)/i.test(type)) {
    reject(reply, 415, "The content type must be application/json. With curl, use --json instead of -d.");
  } else done();
};

/**
 * Returns the host of `host:port` in lower case, without a final dot. Any other text is returned unchanged and matches no host
 * name.
 */
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
