import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { connect, isIP, isIPv6 } from "node:net";
import { unescape as decodePercents } from "node:querystring";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { reasonOf } from "./describe-error.js";
import { isLoopback } from "./environment.js";
import type { Secret } from "./secret.js";

/** The proxies for requests to other networks. Their addresses may contain a password. */
export interface EgressProxies {
  /** For https addresses. */
  readonly https: Secret | undefined;
  /** For http addresses. */
  readonly http: Secret | undefined;
  /** Hosts to which requests are sent directly: names, `.suffix` or `*`, each with or without a port. */
  readonly noProxy: readonly string[];
}

type OnConnection = (error: Error | null, socket: Duplex) => void;

/** The failure of a connection through a proxy. It contains no address, since the address may contain a password. */
export class ProxyError extends Error {
  readonly code: string;

  /** @param cause the HTTP status of the proxy's response, or an error without a response */
  constructor(cause: unknown) {
    super("The egress proxy did not open a connection.");
    this.code = `PROXY_${typeof cause === "number" ? cause : reasonOf(cause)}`;
  }
}

/** Returns why the proxy failed if an error code is that of a `ProxyError`. */
export function proxyCauseOf(code: string): string | undefined {
  const [, cause] = /^PROXY_(.*)$/.exec(code) ?? [];
  return cause && /^\d+$/.test(cause) ? `HTTP ${cause}` : cause;
}

/**
 * Creates the agent for requests to an address: it keeps connections alive, and uses the proxy for the address. Requests to a
 * loopback address are sent directly.
 *
 * @param timeoutMs milliseconds without a reaction after which a connection through the proxy fails
 */
export function createAgent(url: string, proxies: EgressProxies | undefined, timeoutMs: number): HttpAgent {
  const proxy = proxies && proxyFor(new URL(url), proxies);
  const isHttps = url.startsWith("https:");
  if (!proxy) return new (isHttps ? HttpsAgent : HttpAgent)({ keepAlive: true });
  return isHttps ? new TunnelAgent(proxy, timeoutMs) : new ForwardAgent(proxy, timeoutMs);
}

function proxyFor({ href, protocol, hostname, port }: URL, proxies: EgressProxies): URL | undefined {
  const isHttps = protocol === "https:";
  const proxy = isHttps ? proxies.https : proxies.http;
  const usedPort = port || (isHttps ? "443" : "80");
  const isDirect = isLoopback(href) || proxies.noProxy.some((entry) => matches(entry, hostname, usedPort));
  return proxy && !isDirect ? new URL(proxy.reveal()) : undefined;
}

function matches(entry: string, hostname: string, port: string): boolean {
  const [, name = "", onlyPort = port] =
    /^(.*?)(?::(\d+))?$/.exec(isIPv6(entry) ? `[${entry}]` : entry.toLowerCase()) ?? [];
  const isHost = /^\*?\./.test(name) ? hostname.endsWith(name.replace("*", "")) : hostname === name;
  return onlyPort === port && (name === "*" || isHost);
}

/** Sends https requests through tunnels that the proxy opens. TLS is between this process and the target of the tunnel. */
class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;
  readonly #timeoutMs: number;

  constructor(proxy: URL, timeoutMs: number) {
    super({ keepAlive: true });
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
  }

  override createConnection(options: RequestOptions, callback: OnConnection): undefined {
    const fail = (cause: unknown) => callback(new ProxyError(cause), undefined as never);
    const { host, port } = options;
    const target = `${isIPv6(String(host)) ? `[${host}]` : host}:${port}`;
    const { protocol, origin } = this.#proxy;
    const opening = (protocol === "https:" ? httpsRequest : httpRequest)(origin, {
      method: "CONNECT",
      path: target,
      headers: { host: target, ...credentialsOf(this.#proxy) },
      agent: false,
      timeout: this.#timeoutMs,
    });
    opening.once("connect", ({ statusCode = 0 }, socket) => {
      if (statusCode >= 200 && statusCode < 300) {
        socket.setTimeout(0).ref();
        // The types lack the option `socket`, which is that of `tls.connect`.
        callback(null, super.createConnection({ ...options, ...{ socket } }) as Duplex);
      } else {
        socket.destroy();
        fail(statusCode);
      }
    });
    opening.once("error", fail);
    opening.once("timeout", () => opening.destroy(timeoutError()));
    // The end of a request does not end the opening of its tunnel, which must not delay the exit of the process.
    opening.once("socket", (socket) => socket.unref());
    opening.end();
    return undefined;
  }
}

/** Sends http requests to the proxy, which forwards them. */
export class ForwardAgent extends HttpAgent {
  readonly #proxy: URL;
  readonly #timeoutMs: number;

  constructor(proxy: URL, timeoutMs: number) {
    super({ keepAlive: true });
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
  }

  /** Returns the options of Node.js for a request to a URL. */
  requestOptions({ href }: URL, headers: RequestOptions["headers"]): RequestOptions {
    return { path: href, headers: { ...(headers as object), ...credentialsOf(this.#proxy) } };
  }

  override createConnection(_options: RequestOptions, callback: OnConnection): undefined {
    const { protocol, hostname, port } = this.#proxy;
    const isTls = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = isTls
      ? tlsConnect({ host, port: Number(port || 443), ...(isIP(host) === 0 && { servername: host }) })
      : connect({ host, port: Number(port || 80) });
    const fail = (error: Error) => callback(new ProxyError(error), undefined as never);
    const expire = () => socket.destroy(timeoutError());
    socket.once("error", fail);
    socket.setTimeout(this.#timeoutMs, expire).unref();
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.off("error", fail);
      socket.setTimeout(0, expire).ref();
      callback(null, socket);
    });
    return undefined;
  }
}

function timeoutError(): Error {
  return Object.assign(new Error("The proxy did not respond in time."), { code: "ETIMEDOUT" });
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const credentials = Buffer.from(`${decodePercents(username)}:${decodePercents(password)}`).toString(
    "base64",
  );
  return { "proxy-authorization": `Basic ${credentials}` };
}
