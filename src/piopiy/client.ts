import got, { type Got, type Request, RequestError } from "got";
import { GatewayError } from "../errors.js";
import { Secret } from "../secret.js";
import type { Budget, ReadBudget } from "./budget.js";
import { Connections } from "./connections.js";
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

type Parameters = { username?: string; password?: Secret; page?: number };

export interface PiopiyClientOptions extends PolicyOptions {
  /** The base address of the five calls, with a slash at its end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: Secret;
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
  readonly #connections = new Connections();
  readonly #http: Got;
  readonly #policy: Policy;

  constructor(options: PiopiyClientOptions) {
    this.#options = options;
    this.#policy = new Policy(options);
    this.#http = got.extend({
      // A redirect would carry the secret to an address that nobody configured.
      followRedirect: false,
      method: "POST",
      handlers: [this.#connections.use],
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
      return found && { answer: found.password.equals(credentials.password) ? found : null };
    });
  }

  /** Null when PIOPIY has no endpoint of that name. */
  updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    return this.#write("update_sip", credentials, budget, (found) => {
      return !found || found.password.equals(credentials.password) ? { answer: found } : null;
    });
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#write("remove_sip", { username }, budget, (found) =>
      found ? null : { answer: { username } },
    );
  }

  /** The password that belongs to these parts and to this account, the same each time. */
  derivePassword(parts: readonly string[]): Secret {
    return derivePassword(this.#options.secret, parts);
  }

  /** Whether PIOPIY is asked; while it is out of order it is not. */
  get isAsking(): boolean {
    return this.#policy.isAsking;
  }

  /** Waits for the writes that are under way, since their outcome would be lost, and closes the kept connections. */
  async close(): Promise<void> {
    await this.#policy.finish();
    this.#connections.close();
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
      return readReply(operation, reply, [this.#options.secret, parameters.password ?? new Secret("")]);
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
    const body = JSON.stringify({
      appid: appId,
      secret: secret.reveal(),
      ...parameters,
      password: parameters.password?.reveal(),
    });
    // Half the cost of got's promise, which is built on it.
    const request = this.#http.stream(url + operation, { body });
    let stopped: "slow" | "large" | undefined;
    const end = (why: typeof stopped) => {
      stopped ??= why;
      request.destroy();
    };
    const timer = setTimeout(end, timeoutMs, "slow");
    const forget = stop.listen(() => end("slow"));
    try {
      return await receive(request, () => end("large"));
    } catch (error) {
      // An attempt that got half its time or more has shown that PIOPIY is slow; a shorter one shows nothing.
      const cutShort = stop.isNow && performance.now() - begun < timeoutMs / 2;
      const Failure = cutShort ? NotAsked : GatewayError;
      const isSent = request.timings?.upload !== undefined;
      throw isWrite(operation) && isSent
        ? new Failure(...outcomeUnknown(operation))
        : new Failure(...nameFailure(operation, codeOf(error), stopped));
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

/** The whole reply. `refuse` is called when it grows beyond `MAX_REPLY_BYTES`, and has to end the request. */
function receive(request: Request, refuse: () => void): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on("data", (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length > MAX_REPLY_BYTES) refuse();
    });
    request.on("error", reject);
    request.once("close", reject); // all that a request which was ended tells
    request.once("end", () => {
      const { statusCode = 0, headers = {} } = request.response ?? {};
      resolve({ status: statusCode, body: Buffer.concat(parts), retryAfter: headers["retry-after"] });
    });
  });
}

/** Of got's error only its short code is told on. */
function codeOf(error: unknown): string {
  return error instanceof RequestError ? error.code : "unknown cause";
}
