import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { FastifyBaseLogger, FastifyRequest } from "fastify";
import type { Secret } from "../secret.js";

/** The client that sends a request, and its scopes. */
export interface Client {
  /** The name of an API key, the subject of a token, or with `AUTH=none` the address. */
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
  /** The SIP username of the person who uses the client. Only a token has one. */
  readonly username?: string | undefined;
}

/** Why a credential is refused. Operators see the reason in the log. Clients do not, because it helps to guess. */
export type RefusalReason =
  | "missing"
  | "unknown-key"
  | "malformed"
  | "algorithm"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "no-expiry"
  | "not-yet-valid";

/**
 * Returns the client of a credential, or the reason if the credential is invalid. Throws a `GatewayError` if the credential cannot
 * be validated now.
 */
export type Authenticate = (credential: Secret, log: FastifyBaseLogger) => Promise<Client | RefusalReason>;

/** An address as proxies write it: alone, in brackets, or with a port. */
const HOP = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/;

/**
 * Returns the address of the client, for the log. Behind trusted proxies `X-Forwarded-For` may contain any text: a hop without a
 * valid address is skipped, and the next hop towards the gateway is used.
 */
export function clientAddress(request: FastifyRequest): string {
  const hops = (request.ips ?? [request.ip]).map(parseAddress);
  // A connection that is closed already has no address.
  return hops.findLast((address) => address !== undefined) ?? "unknown";
}

/**
 * Returns the key to count a client by: an IPv4 address, or the /64 network of an IPv6 address, since one host can use all of it.
 */
export function clientKey(request: FastifyRequest): string {
  const address = clientAddress(request);
  return isIPv6(address) ? `${networkOf(address)}/64` : address;
}

/**
 * Returns the normal form of an address, without port, brackets and zone. Returns an IPv4-mapped IPv6 address as an IPv4 address,
 * and undefined for any other text.
 */
export function parseAddress(text: string | undefined = ""): string | undefined {
  const [, bracketed, plain] = HOP.exec(text) ?? [];
  const [address = ""] = (bracketed ?? plain ?? text).split("%", 1);
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const normal = normalize(address);
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(normal) ?? [];
  if (high === undefined || low === undefined) return normal;
  return [high, low]
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
    .join(".");
}

/** Returns Fastify's `trustProxy`: whether a hop, which may be written with a port, is in one of the networks. */
export function trustProxies(networks: readonly string[]): (hop: string) => boolean {
  const trusted = new BlockList();
  for (const network of networks) {
    const [text = "", bits] = network.split("/");
    const [address = ""] = text.split("%", 1);
    const family = familyOf(address);
    trusted.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  return (hop) => {
    const address = parseAddress(hop);
    return address !== undefined && trusted.check(address, familyOf(address));
  };
}

function networkOf(address: string): string {
  const [head = [], tail] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - (tail?.length ?? 0) }, () => "0");
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return normalize(`${groups.slice(0, 4).join(":")}::`);
}

/** Returns an IPv6 address in the form of RFC 5952, as WHATWG's URL formats it. */
function normalize(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
