import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Got, RequestError } from "got";
import { GatewayError } from "../errors.js";
import type { Budget } from "./budget.js";
import { retryRead } from "./retry.js";
import { Turns } from "./turns.js";
import {
  type Answer,
  type Credentials,
  type Operation,
  type Reply,
  readReply,
  type SipEndpointPage,
  type SipEndpointRecord,
} from "./wire.js";

/** Far above the largest honest answer, ten rows of a list. */
const MAX_REPLY_BYTES = 1_000_000;

type Kind = "read" | "write";
type Parameters = { username?: string; password?: string; page?: number };

export interface PiopiyClientOptions {
  /** The base address of the five calls, with a slash at its end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: string;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  /** Calls in flight at any one time; more wait their turn, writes before reads. */
  readonly maxConcurrency: number;
}

/**
 * PIOPIY's five calls. Reads are retried, writes never. All failures are `GatewayError`s.
 *
 * The account's secret goes into each request's body here and nowhere else. got's errors carry the request,
 * so none of them leaves this file, not even as a cause.
 */
export class PiopiyClient {
  readonly #options: PiopiyClientOptions;
  readonly #agent: { http: HttpAgent; https: HttpsAgent };
  readonly #http: Got;
  readonly #turns: Turns;

  constructor(options: PiopiyClientOptions) {
    this.#options = options;
    this.#turns = new Turns(options.maxConcurrency);
    this.#agent = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
    this.#http = got.extend({
      agent: this.#agent,
      // A redirect would carry the secret to an address that nobody configured.
      followRedirect: false,
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        "user-agent": "piopiy-graphql-gateway",
      },
      retry: { limit: 0 },
      throwHttpErrors: false,
    });
  }

  /** Null when PIOPIY has no endpoint of that name. */
  getSip(username: string, budget: Budget): Promise<SipEndpointRecord | null> {
    return this.#read("get_sip", { username }, budget);
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  async listSip(page: number, budget: Budget): Promise<SipEndpointPage> {
    const answer = await this.#read("list_sip", { page }, budget);
    return answer as SipEndpointPage; // list_sip knows no "no such name"
  }

  /** Null when the name is taken. */
  addSip(credentials: Credentials, budget: Budget): Promise<SipEndpointRecord | null> {
    return this.#write("add_sip", credentials, budget);
  }

  /** Null when PIOPIY has no endpoint of that name. */
  updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    return this.#write("update_sip", credentials, budget);
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#write("remove_sip", { username }, budget);
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.http.destroy();
    this.#agent.https.destroy();
  }

  #read<O extends Operation>(
    operation: O,
    parameters: Parameters,
    budget: Budget,
  ): Promise<Answer<O> | null> {
    return retryRead(budget, () => this.#call("read", operation, parameters, budget));
  }

  #write<O extends Operation>(
    operation: O,
    parameters: Parameters,
    budget: Budget,
  ): Promise<Answer<O> | null> {
    return this.#call("write", operation, parameters, budget);
  }

  async #call<O extends Operation>(kind: Kind, operation: O, parameters: Parameters, budget: Budget) {
    const signal = kind === "read" ? budget.forReads : budget.forWrites;
    const send = () => this.#send(kind, operation, parameters, signal);
    const reply = await this.#turns.take(kind, budget.forReads, send);
    try {
      return readReply(operation, reply, [this.#options.secret, parameters.password ?? ""]);
    } catch (error) {
      // A busy upstream (429, 503) has not begun the work; after any other failure nobody can tell.
      const { retryable, upstreamCode } = error instanceof GatewayError ? error.extensions : {};
      const unknown = retryable && upstreamCode !== 429 && upstreamCode !== 503;
      throw kind === "write" && unknown ? outcomeUnknown(operation) : error;
    }
  }

  async #send(kind: Kind, operation: Operation, parameters: Parameters, signal: AbortSignal): Promise<Reply> {
    const { appId, secret, timeoutMs, url } = this.#options;
    const attempt = new AbortController();
    const giveUp = () => attempt.abort("slow");
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const body = JSON.stringify({ appid: appId, secret, ...parameters });
      const request = this.#http.post(url + operation, {
        body,
        signal: attempt.signal,
        responseType: "buffer",
      });
      request.on("downloadProgress", ({ transferred }) => {
        if (transferred > MAX_REPLY_BYTES) attempt.abort("large");
      });
      const { statusCode, body: bytes, headers } = await request;
      return { status: statusCode, body: bytes, retryAfter: headers["retry-after"] };
    } catch (error) {
      const sent = error instanceof RequestError && error.timings?.upload !== undefined;
      if (kind === "write" && sent) throw outcomeUnknown(operation);
      throw nameFailure(operation, error, attempt.signal.reason);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }
}

function outcomeUnknown(operation: Operation): GatewayError {
  return new GatewayError(
    "OUTCOME_UNKNOWN",
    `PIOPIY's answer to ${operation} was lost, so whether the change was made is not known. Read the endpoint to see.`,
  );
}

/** Of got's error only its short code is told on. */
function nameFailure(
  operation: Operation,
  error: unknown,
  stopped: "slow" | "large" | undefined,
): GatewayError {
  const code = error instanceof RequestError ? error.code : "unknown cause";
  if (stopped === "slow") {
    return new GatewayError(
      "UPSTREAM_TIMEOUT",
      `PIOPIY did not answer ${operation} in time (PIOPIY_TIMEOUT_MS, PIOPIY_DEADLINE_MS). Try again later.`,
    );
  }
  if (stopped === "large" || /^(HPE_|Z_)/.test(code)) {
    const what = stopped === "large" ? `more than ${MAX_REPLY_BYTES} bytes` : `what is not HTTP (${code})`;
    return new GatewayError("UPSTREAM_INVALID_RESPONSE", `PIOPIY answered ${operation} with ${what}.`);
  }
  return new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    `PIOPIY could not be reached for ${operation} (${code}). Try again later.`,
  );
}
