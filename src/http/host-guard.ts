import { isIPv4, isIPv6 } from "node:net";
import type { FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import type { AuditLog } from "../auth/audit-log.js";
import { clientAddress, clientKey, parseAddress } from "../auth/client.js";
import type { Config } from "../config.js";
import { GatewayError } from "../errors.js";
import { traceFields } from "../telemetry/tracing.js";

const MAX_SHOWN_LENGTH = 60;
/** How many host names are stored in their normal form, and the maximum length of such a name. */
const MAX_STORED = 100;
const MAX_STORED_LENGTH = 100;

/**
 * Rejects requests for unknown host names, if clients need no credential. This protects against DNS rebinding: a web page can
 * make its own host name resolve to the gateway's address to read responses, but the browser still sends that host name.
 */
export function createHostGuard(
  { host, answer, allowedHosts }: Config,
  auditLog: AuditLog,
): onRequestAsyncHookHandler {
  const publicHost = answer?.publicUrl ? [new URL(answer.publicUrl).host] : [];
  const ownHosts = new Set(
    [host, ...publicHost, ...allowedHosts].map(bracketIPv6).filter(isAuthority).map(hostName),
  );
  const stored = new Map<string, string>();
  /** Does the same as `hostName`. Clients send the same few names, and parsing a URL takes microseconds. */
  const storedHostName = (authority: string) => {
    const known = stored.get(authority);
    if (known !== undefined) return known;
    const name = hostName(authority);
    if (authority.length <= MAX_STORED_LENGTH) {
      if (stored.size >= MAX_STORED) stored.clear();
      stored.set(authority, name);
    }
    return name;
  };
  const isAllowed = (name: string, { socket }: FastifyRequest) =>
    ownHosts.has(name) || isLoopback(name) || name === parseAddress(socket.localAddress);

  return async (request) => {
    const { raw, id } = request;
    const hosts = raw.headersDistinct.host ?? [];
    // A request target in absolute form contains a host too, which the router ignores.
    const [, target] = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? "") ?? [];
    const requestedHosts = target === undefined ? hosts : [...hosts, target];
    if (hosts.length === 1 && requestedHosts.every((text) => isAllowed(storedHostName(text), request)))
      return;
    auditLog.recordRefusal(clientKey(request), {
      what: "host",
      outcome: "FORBIDDEN",
      requestId: id,
      ...traceFields(request.trace),
      address: clientAddress(request),
    });
    throw new GatewayError(
      "FORBIDDEN",
      `The Host header ${JSON.stringify(requestedHosts.join(", ").slice(0, MAX_SHOWN_LENGTH))} is not allowed. With AUTH=none it must be localhost, ` +
        "the address of the gateway, the host of PUBLIC_URL or one of ALLOWED_HOSTS. Add the host to ALLOWED_HOSTS, or set AUTH to api-key or jwt.",
    );
  };
}

/** Returns the host of `host:port` in its normal form, or throws `ERR_INVALID_URL`. */
function hostName(authority: string): string {
  const { href, host, hostname } = new URL(`http://${authority}`);
  // A Host header with a user or a path is invalid. It is returned unchanged, so that it equals no allowed name.
  if (href !== `http://${host}/`) return authority;
  return parseAddress(hostname) ?? hostname.replace(/\.$/, "");
}

function isAuthority(text: string): boolean {
  return URL.canParse(`http://${text}`);
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

function bracketIPv6(host: string): string {
  return isIPv6(host) ? `[${host.split("%", 1)[0]}]` : host;
}
