import { isIPv4, isIPv6 } from "node:net";
import type { FastifyRequest, onRequestAsyncHookHandler } from "fastify";
import type { Audit } from "../auth/audit-log.js";
import { clientAddress, clientKey, parseAddress } from "../auth/client-address.js";
import type { Config } from "../config.js";
import { GatewayError } from "../errors.js";

const MAX_SHOWN = 60;

/**
 * Refuses requests for foreign host names, for a gateway without credentials. A web page can let its own name resolve to
 * the gateway's address (DNS rebinding) and then reads every response; but its visitor's browser still sends that name.
 */
export function createHostGuard(
  { host, answer, allowedHosts }: Config,
  audit: Audit,
): onRequestAsyncHookHandler {
  const publicHost = answer?.publicUrl ? [new URL(answer.publicUrl).host] : [];
  const own = new Set(
    [host, ...publicHost, ...allowedHosts].map(bracketed).filter(isAuthority).map(hostName),
  );
  const isAllowed = (name: string, { socket }: FastifyRequest) =>
    own.has(name) || isLoopback(name) || name === parseAddress(socket.localAddress);

  return async (request) => {
    const { raw, id } = request;
    const hosts = raw.headersDistinct.host ?? [];
    // A request target in absolute form names the host too, and routers do not look at it.
    const [, target] = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? "") ?? [];
    const named = target === undefined ? hosts : [...hosts, target];
    if (hosts.length === 1 && named.every((text) => isAllowed(hostName(text), request))) return;
    audit.refuse(clientKey(request), {
      what: "host",
      outcome: "FORBIDDEN",
      requestId: id,
      address: clientAddress(request),
    });
    throw new GatewayError(
      "FORBIDDEN",
      `The Host header is ${JSON.stringify(named.join(", ").slice(0, MAX_SHOWN))}. With AUTH=none the gateway serves only localhost, ` +
        "its own address, the host of PUBLIC_URL and those of ALLOWED_HOSTS. Add the host to ALLOWED_HOSTS, or require credentials.",
    );
  };
}

/** Returns the host of `host:port` in its normal form, or throws `ERR_INVALID_URL`. */
function hostName(authority: string): string {
  const { href, host, hostname } = new URL(`http://${authority}`);
  // A user or a path before or after the host is no part of a Host header: such a text equals no name.
  if (href !== `http://${host}/`) return authority;
  return parseAddress(hostname) ?? hostname.replace(/\.$/, "");
}

function isAuthority(text: string): boolean {
  return URL.canParse(`http://${text}`);
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host.split("%", 1)[0]}]` : host;
}
