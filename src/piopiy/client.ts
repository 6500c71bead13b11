import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Got, RequestError } from "got";
import { GatewayError } from "../errors.js";
import type { Budget, ReadBudget } from "./budget.js";
import { isWrite, nameFailure, outcomeUnknown } from "./failure.js";
import { NotAsked } from "./not-asked.js";
import { derivePassword } from "./password.js";
import { Policy, type PolicyOptions } from "./policy.js";
import type { Settlement } from "./settle.js";
import type { Stop } from "./stop.js";
import {
  type Answer,
  type Credentials,
  MAX_REPLY_BYTES,
  type Operation,
  type Reply,
  readReply,
  type SipEndpointPage,
  type SipEndpointRecord,
} from "./wire.js";

type Parameters = { username?: string; password?: string; page?: number };

export interface PiopiyClientOptions extends PolicyOptions {
  /** The base address of the five calls, with a slash at its end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: string;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
}

/**
 * PIOPIY's five calls, made as the policy says. All failures are `GatewayError`s.
 *
 * The account's secret goes into each request's body here and nowhere else. got's errors carry the request,
 * so none of them leaves this file, not even as a cause.
 */
export class PiopiyClient {
  readonly #options: PiopiyClientOptions;
  readonly #agent: { http: HttpAgent; https: HttpsAgent };
  readonly #http: Got;
  readonly #policy: Policy;

  constructor(options: PiopiyClientOptions) {
    this.#options = options;
    this.#policy = new Policy(options);
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
  getSip(username: string, budget: ReadBudget): Promise<SipEndpointRecord | null> {
    return this.#read("get_sip", { username }, budget);
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  async listSip(page: number, budget: ReadBudget): Promise<SipEndpointPage> {
    const answer = await this.#read("list_sip", { page }, budget);
    return answer as SipEndpointPage; // list_sip knows no "no such name"
  }

  /** Null when the name is taken. */
  addSip(credentials: Credentials, budget: Budget): Promise<SipEndpointRecord | null> {
    return this.#write("add_sip", credentials, budget, (found) => {
      return found && { answer: found.password === credentials.password ? found : null };
    });
  }

  /** Null when PIOPIY has no endpoint of that name. */
  updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    return this.#write("update_sip", credentials, budget, (found) => {
      return found?.password === credentials.password || !found ? { answer: found } : null;
    });
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#write("remove_sip", { username }, budget, (found) =>
      found ? null : { answer: { username } },
    );
  }

  /** The password that belongs to these parts and to this account, the same each time. */
  derivePassword(parts: readonly string[]): string {
    return derivePassword(this.#options.secret, parts);
  }

  /** Whether PIOPIY is asked; while it is out of order it is not. */
  get isAsking(): boolean {
    return this.#policy.isAsking;
  }

  /** Waits for the writes that are under way, since their outcome would be lost, and closes the kept connections. */
  async close(): Promise<void> {
    await this.#policy.finish();
    this.#agent.http.destroy();
    this.#agent.https.destroy();
  }

  #read<O extends Operation>(
    operation: O,
    parameters: Parameters,
    budget: ReadBudget,
  ): Promise<Answer<O> | null> {
    return this.#policy.read(budget, (stop) => this.#call(operation, parameters, stop));
  }

  #write<O extends Operation>(
    operation: O,
    parameters: Parameters & { username: string },
    budget: Budget,
    verdict: Settlement<Answer<O>>["verdict"],
  ): Promise<Answer<O> | null> {
    const { username } = parameters;
    return this.#policy.write(username, budget, {
      write: (stop) => this.#call(operation, parameters, stop),
      find: (stop) => this.#call("get_sip", { username }, stop),
      verdict,
    });
  }

  /** One attempt. */
  async #call<O extends Operation>(operation: O, parameters: Parameters, stop: Stop) {
    const reply = await this.#send(operation, parameters, stop);
    try {
      return readReply(operation, reply, [this.#options.secret, parameters.password ?? ""]);
    } catch (error) {
      // A busy upstream (429, 503) has not begun the work; after any other failure nobody can tell.
      const { retryable, upstreamCode } = error instanceof GatewayError ? error.extensions : {};
      const unknown = retryable && upstreamCode !== 429 && upstreamCode !== 503;
      throw isWrite(operation) && unknown ? new GatewayError(...outcomeUnknown(operation)) : error;
    }
  }

  async #send(operation: Operation, parameters: Parameters, stop: Stop): Promise<Reply> {
    const { appId, secret, timeoutMs, url } = this.#options;
    const begun = performance.now();
    let stopped: "slow" | "large" | undefined;
    const body = JSON.stringify({ appid: appId, secret, ...parameters });
    const request = this.#http.post(url + operation, { body, responseType: "buffer" });
    const end = (why: typeof stopped) => {
      stopped ??= why;
      request.cancel();
    };
    const timer = setTimeout(end, timeoutMs, "slow");
    const forget = stop.listen(() => end("slow"));
    try {
      request.on("downloadProgress", ({ transferred }) => {
        if (transferred > MAX_REPLY_BYTES) end("large");
      });
      const { statusCode, body: bytes, headers } = await request;
      return { status: statusCode, body: bytes, retryAfter: headers["retry-after"] };
    } catch (error) {
      // An attempt that got half its time or more has shown that PIOPIY is slow; a shorter one shows nothing.
      const cutShort = stop.isNow && performance.now() - begun < timeoutMs / 2;
      const Failure = cutShort ? NotAsked : GatewayError;
      const sent = error instanceof RequestError && error.timings?.upload !== undefined;
      throw isWrite(operation) && sent
        ? new Failure(...outcomeUnknown(operation))
        : new Failure(...nameFailure(operation, codeOf(error), stopped));
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

/** Of got's error only its short code is told on. */
function codeOf(error: unknown): string {
  return error instanceof RequestError ? error.code : "unknown cause";
}
