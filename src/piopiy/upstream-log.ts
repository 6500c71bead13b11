import { ROOT_CONTEXT, type Context as TraceContext } from "@opentelemetry/api";
import type { FastifyBaseLogger } from "fastify";
import { proxyCauseOf } from "../egress-proxy.js";
import type { Secret } from "../secret.js";
import { type TraceFields, traceFields } from "../telemetry/tracing.js";
import { type HttpResponse, isRedirection, parseBody, readCode } from "./http-response.js";
import type { UpstreamRequest } from "./pipeline/pipeline.js";
import type { AnyParameters, Operation } from "./protocol.js";

const INTERVAL_MS = 10_000;
/** Limits the memory, since an upstream may return any number of different codes. */
const MAX_CAUSES = 50;
/** The name for all causes beyond `MAX_CAUSES`. */
const OTHERS = "another cause";
const MAX_ADDRESS = 200;
const API_PATH = "/v1/endpoint/";

/** The cause of a failed upstream request. */
interface Cause extends TraceFields {
  readonly operation: Operation;
  /** The error code of the network or of TLS, or the code of PIOPIY. */
  readonly code?: string | undefined;
  readonly status?: number;
  readonly durationMs: number;
  /** The id of the GraphQL request that caused the upstream request. */
  readonly requestId: string;
}

/** When a cause was last logged, and how often it has occurred since. */
interface Logged {
  readonly at: number;
  repeats: number;
}

/** Logs why upstream requests fail: each cause at most once in 10 seconds, with the number of repeats since its last entry. */
export class UpstreamLog {
  readonly #log: FastifyBaseLogger;
  readonly #url: string;
  readonly #secret: Secret;
  readonly #intervalMs: number;
  readonly #logged = new Map<string, Logged>();
  #lastCause: string | undefined;

  /**
   * @param url the base address of the operations, with a slash at its end
   * @param secret the account's secret, which is never logged
   */
  constructor(log: FastifyBaseLogger, url: string, secret: Secret, intervalMs = INTERVAL_MS) {
    this.#log = log;
    this.#url = url;
    this.#secret = secret;
    this.#intervalMs = intervalMs;
  }

  /**
   * Logs a request without a response, with its error code.
   *
   * @param trace the context of the span of the attempt
   */
  noResponse(
    operation: Operation,
    code: string,
    ms: number,
    requestId: string,
    trace: TraceContext = ROOT_CONTEXT,
  ): void {
    const advice =
      proxyCauseOf(code) && "The egress proxy failed: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY";
    const cause = { operation, code, durationMs: Math.round(ms), requestId, ...traceFields(trace) };
    this.#write("warn", code, cause, advice);
  }

  /**
   * Logs a response that is an error or is invalid.
   *
   * @param trace the context of the span of the attempt
   */
  response(
    { operation, parameters, deadline }: UpstreamRequest,
    response: HttpResponse,
    trace: TraceContext,
  ): void {
    const { status, ms, unreadable } = response;
    const { requestId } = deadline.usage;
    const code = readCode(parseBody(response));
    const content = unreadable ?? (code === undefined ? "no code" : `code ${code}`);
    const ids = { requestId, ...traceFields(trace) };
    const cause = { operation, status, code: code?.toString(), durationMs: Math.round(ms), ...ids };
    const isAccount = code === 420 || (code === undefined && status === 420);
    const advice = isAccount
      ? "PIOPIY rejects the account: check PIOPIY_APP_ID and PIOPIY_SECRET"
      : this.#adviseOnUrl(operation, parameters, response, code);
    this.#write(isAccount ? "error" : "warn", `HTTP ${status} with ${content}`, cause, advice);
  }

  breakerOpened(): void {
    this.#log.error(
      { cause: this.#lastCause },
      "PIOPIY is unavailable: the circuit breaker is open until a probe succeeds",
    );
  }

  breakerClosed(): void {
    this.#log.warn("PIOPIY is available again: the circuit breaker is closed");
  }

  #write(level: "warn" | "error", name: string, cause: Cause, advice?: string): void {
    this.#lastCause = name;
    const now = performance.now();
    const isOver = ({ at }: Logged) => now - at >= this.#intervalMs;
    if (this.#logged.size >= MAX_CAUSES) {
      for (const [known, logged] of this.#logged) if (isOver(logged)) this.#logged.delete(known);
    }
    const key = this.#logged.has(name) || this.#logged.size < MAX_CAUSES ? name : OTHERS;
    const logged = this.#logged.get(key);
    if (logged && !isOver(logged)) {
      logged.repeats++;
      return;
    }
    this.#logged.set(key, { at: now, repeats: 0 });
    const message = `an upstream request failed: ${name}`;
    this.#log[level](
      { ...cause, repeats: logged?.repeats || undefined },
      advice ? `${message}. ${advice}` : message,
    );
  }

  /** Returns advice on PIOPIY_URL when a response shows that it is not the address of the API. */
  #adviseOnUrl(
    operation: Operation,
    parameters: AnyParameters,
    response: HttpResponse,
    code: number | undefined,
  ): string | undefined {
    if (isRedirection(response)) {
      const address = this.#baseAddress(operation, parameters, response.location);
      if (!address) return "PIOPIY_URL redirects, but the target address cannot be shown";
      return address === this.#url
        ? "PIOPIY_URL redirects to itself: check the proxies between the gateway and PIOPIY"
        : `PIOPIY_URL redirects to ${address}: set PIOPIY_URL to that address if it belongs to PIOPIY`;
    }
    const { origin, pathname } = new URL(this.#url);
    const isForeign = code === undefined && response.status < 500 && !pathname.endsWith(API_PATH);
    return isForeign ? `PIOPIY_URL may lack the path of the API, as in ${origin}${API_PATH}` : undefined;
  }

  /**
   * Returns the value for PIOPIY_URL that a `Location` header suggests: origin and path without the operation. Parts that may
   * contain data of the request are left out: the query, and a path with unusual characters or the username.
   */
  #baseAddress(
    operation: Operation,
    { username = "?", password }: AnyParameters,
    location: string | undefined,
  ): string | undefined {
    const requested = this.#url + operation;
    if (location === undefined || !URL.canParse(location, requested)) return undefined;
    const { protocol, origin, pathname } = new URL(location, requested);
    if (!/^https?:$/.test(protocol)) return undefined;
    const isPlain = /^[\w.~/-]*$/.test(pathname) && !pathname.split("/").includes(username);
    const address = `${origin}${isPlain ? pathname : "/"}`.replace(new RegExp(`/${operation}/?$`), "/");
    // The URL parser converts host names to lower case.
    const isHidden = [this.#secret, password].some(
      (secret) => secret && address.toLowerCase().includes(secret.reveal().toLowerCase()),
    );
    return isHidden ? undefined : address.slice(0, MAX_ADDRESS);
  }
}
