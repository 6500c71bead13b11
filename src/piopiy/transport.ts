import type { Agent, RequestOptions } from "node:http";
import type { Context as TraceContext } from "@opentelemetry/api";
import got, { type Got } from "got";
import { createAgent, type EgressProxies, ForwardAgent, ProxyError, proxyCauseOf } from "../egress-proxy.js";
import type { Secret } from "../secret.js";
import { observeAttempt } from "../telemetry/metrics.js";
import { endSpan, failSpan, startAttempt, traceHeaders } from "../telemetry/tracing.js";
import { hasExpired, onAbort } from "./deadline.js";
import { codeOf, type HttpResponse, parseBody, readCode, receiveResponse } from "./http-response.js";
import { parseResponse } from "./parse-response.js";
import { received, type Send, type UpstreamRequest, type UpstreamResponse } from "./pipeline/pipeline.js";
import { operations } from "./protocol.js";
import { noResponse, outcomeUnknown, tooLate, UpstreamError } from "./upstream-error.js";
import type { UpstreamLog } from "./upstream-log.js";

export interface TransportOptions {
  /** The base address of the five operations, with a slash at its end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: Secret;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  /** Left out: requests are sent directly. */
  readonly proxies?: EgressProxies | undefined;
}

/**
 * Sends requests to PIOPIY with the HTTP client got, and parses the responses. Adds the account's secret to the body of each
 * request. The errors of got contain the request, so this class never passes them on, not even as a cause.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #log: UpstreamLog;
  readonly #agent: Agent;
  readonly #http: Got;
  /** The shortest recent response time in milliseconds. With less time left, no attempt is sent. */
  #fastestMs = 0;

  constructor(options: TransportOptions, log: UpstreamLog) {
    this.#options = options;
    this.#log = log;
    this.#agent = createAgent(options.url, options.proxies, options.timeoutMs);
    this.#http = got.extend({
      // A redirect would send the secret to an address that is not configured.
      followRedirect: false,
      method: "POST",
      handlers: [(gotOptions, next) => next(this.#withFewOptions(gotOptions))],
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        "user-agent": "piopiy-graphql-gateway",
      },
      retry: { limit: 0 },
      throwHttpErrors: false,
    });
  }

  readonly send: Send = async (request) => {
    const { operation, deadline } = request;
    if (deadline.msLeft < this.#fastestMs) throw tooLate();
    const { usage } = deadline;
    const begun = performance.now();
    const end = (outcome: string) => {
      const ms = performance.now() - begun;
      usage.ms += ms;
      observeAttempt({ operation, outcome }, ms);
    };
    usage.requests++;
    const trace = startAttempt(usage.trace, this.#options.url + operation, operation, request.resendCount);
    try {
      const response = await this.#attempt(request, trace);
      end("ok");
      return response;
    } catch (error) {
      end(outcomeOf(error));
      throw error;
    }
  };

  /** Closes all connections, even those in use. */
  close(): void {
    this.#agent.destroy();
  }

  async #attempt(request: UpstreamRequest, trace: TraceContext): Promise<UpstreamResponse> {
    const { operation, parameters } = request;
    let response: HttpResponse | undefined;
    try {
      response = await this.#post(request, trace);
      // The time falls to a shorter time immediately, and rises by at most a tenth per response.
      this.#fastestMs = this.#fastestMs === 0 ? response.ms : Math.min(response.ms, this.#fastestMs * 1.1);
      return received(parseResponse(operation, parameters, response, this.#options.secret));
    } catch (error) {
      if (response) {
        this.#log.response(request, response, trace);
        failSpan(trace, failureOf(response, error));
      }
      throw error;
    } finally {
      endSpan(trace, () => ({
        "http.response.status_code": response?.status,
        "piopiy.code": response && readCode(parseBody(response)),
      }));
    }
  }

  async #post(
    { operation, parameters, signal, deadline }: UpstreamRequest,
    trace: TraceContext,
  ): Promise<HttpResponse> {
    const { appId, secret, timeoutMs, url } = this.#options;
    const begun = performance.now();
    const body = JSON.stringify({
      appid: appId,
      secret: secret.reveal(),
      ...parameters,
      password: parameters.password?.reveal(),
    });
    // The stream API of got costs half as much as its promise API, which is built on streams.
    const { requestId } = deadline.usage;
    const headers = { "x-request-id": requestId, ...traceHeaders(trace) };
    const request = this.#http.stream(url + operation, { body, headers });
    let isTimeout = false;
    const end = () => {
      isTimeout = true;
      request.destroy();
    };
    const timer = setTimeout(end, timeoutMs);
    const stopListening = onAbort(signal, end);
    try {
      const response = await receiveResponse(request, begun);
      if (this.#isProxyRefusal(response)) throw new ProxyError(response.status);
      return response;
    } catch (error) {
      const ms = performance.now() - begun;
      // An attempt that lasted half its timeout or longer shows that PIOPIY is slow. A shorter one shows nothing.
      const isCutShort = signal.aborted && ms < timeoutMs / 2;
      const kind = isCutShort ? "local" : "outage";
      const code = codeOf(error);
      // An attempt that was cut short because the client disconnected is not a problem of PIOPIY, so it is not logged.
      const isAborted = isCutShort && !hasExpired(signal);
      const cause = isTimeout ? "timeout" : code;
      if (!isAborted) this.#log.noResponse(operation, cause, ms, requestId, trace);
      failSpan(trace, isAborted ? "aborted" : cause);
      // A certificate is rejected before any part of the request is sent, although got reports it as written. A proxy that
      // refuses a request does not forward it.
      const isSent =
        request.timings?.upload !== undefined && !code.includes("CERT") && proxyCauseOf(code) === undefined;
      throw operations[operation].kind === "write" && isSent
        ? outcomeUnknown(operation, kind)
        : noResponse(operation, code, isTimeout, kind);
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  /** Returns whether the proxy has responded instead of PIOPIY. In a tunnel it cannot. */
  #isProxyRefusal(response: HttpResponse): boolean {
    const isRefusal = response.status === 403 || response.status === 407;
    return this.#agent instanceof ForwardAgent && isRefusal && readCode(parseBody(response)) === undefined;
  }

  /**
   * Makes got pass three options to Node.js. By default, got passes thirty options, most of them undefined. They cause 23 kB of
   * garbage per request.
   */
  #withFewOptions<O extends NativeOptions>(options: O): O {
    options.createNativeRequestOptions = () => {
      const { url, method, headers } = options;
      const agent = this.#agent;
      const isForwarded = agent instanceof ForwardAgent && url instanceof URL;
      return { method, headers, agent, ...(isForwarded && agent.requestOptions(url, headers)) };
    };
    return options;
  }
}

/** Returns the outcome of a failed attempt for the metrics: its error code, or `aborted` if the gateway itself ended it. */
function outcomeOf(error: unknown): string {
  if (!(error instanceof UpstreamError)) return "INTERNAL_SERVER_ERROR";
  return error.kind === "local" ? "aborted" : error.code;
}

/** Returns the short name of a failure with a response: the HTTP status of an error, or else the error code. */
function failureOf({ status }: HttpResponse, error: unknown): string {
  return status < 400 && error instanceof UpstreamError ? error.code : String(status);
}

/** A part of got's options. */
interface NativeOptions {
  readonly url?: URL | string | undefined;
  readonly method: string;
  readonly headers: RequestOptions["headers"];
  createNativeRequestOptions(): object;
}
