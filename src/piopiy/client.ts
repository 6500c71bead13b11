import type { FastifyBaseLogger } from "fastify";
import got, { type Got } from "got";
import { GatewayError } from "../errors.js";
import type { Secret } from "../secret.js";
import { derivePassword } from "../sip/password.js";
import type { Budget, ReadBudget } from "./budget.js";
import { Connections } from "./connections.js";
import { isWrite, nameFailure, outcomeUnknown } from "./failure.js";
import { NotAsked } from "./not-asked.js";
import { judgePassword } from "./pipeline/reconcile.js";
import { Policy, type PolicyOptions, type UpstreamRequest, type Write } from "./policy.js";
import type {
  Answer,
  Credentials,
  Operation,
  Parameters,
  SipEndpointPage,
  SipEndpointRecord,
} from "./protocol.js";
import { readReply } from "./read-reply.js";
import { codeOf, isBareServerError, type Reply, receiveReply } from "./reply.js";
import type { Stop } from "./stop.js";
import { UpstreamLog } from "./upstream-log.js";

export interface PiopiyClientOptions extends PolicyOptions {
  /** The base address of the five calls, with a slash at its end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: Secret;
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  readonly log: FastifyBaseLogger;
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
  readonly #log: UpstreamLog;
  readonly #policy: Policy;

  constructor(options: PiopiyClientOptions) {
    this.#options = options;
    this.#log = new UpstreamLog(options.log, options.url, options.secret);
    this.#policy = new Policy(options, this.#log);
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
    return this.#policy.read(budget, this.#request("get_sip", { username }));
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  async listSip(page: number, budget: ReadBudget): Promise<SipEndpointPage> {
    const answer = await this.#policy.read(budget, this.#request("list_sip", { page }));
    return answer as SipEndpointPage; // list_sip knows no "no such name"
  }

  /** Null when the name is taken. */
  addSip(credentials: Credentials, budget: Budget): Promise<Answer<"add_sip"> | null> {
    const { username, password } = credentials;
    return this.#write("add_sip", credentials, username, budget, (found) =>
      found ? judgePassword(password, found, { ...found, password }, { answer: null }) : "not taken",
    );
  }

  /** Null when PIOPIY has no endpoint of that name. */
  updateSip(credentials: Credentials, budget: Budget): Promise<Credentials | null> {
    const { username, password } = credentials;
    return this.#write("update_sip", credentials, username, budget, (found) =>
      found ? judgePassword(password, found, credentials, "not taken") : { answer: null },
    );
  }

  /** Null when PIOPIY has no endpoint of that name. */
  removeSip(username: string, budget: Budget): Promise<{ username: string } | null> {
    return this.#write("remove_sip", { username }, username, budget, (found) =>
      found ? "not taken" : { answer: { username } },
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

  #write<O extends Operation>(
    operation: O,
    parameters: Parameters,
    username: string,
    budget: Budget,
    verdict: Write<Answer<O>>["verdict"],
  ): Promise<Answer<O> | null> {
    const write = this.#request(operation, parameters);
    return this.#policy.write(username, budget, {
      write,
      find: this.#request("get_sip", { username }),
      verdict,
    });
  }

  #request<O extends Operation>(operation: O, parameters: Parameters): UpstreamRequest<Answer<O> | null> {
    return {
      send: (stop) => this.#send(operation, parameters, stop),
      parse: (reply) => {
        try {
          return readReply(operation, parameters, reply, this.#options.secret);
        } catch (error) {
          if (!isBareServerError(reply)) this.#log.response(operation, parameters, reply);
          throw error;
        }
      },
    };
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
    let isSlow = false;
    const end = () => {
      isSlow = true;
      request.destroy();
    };
    const timer = setTimeout(end, timeoutMs);
    const forget = stop.listen(end);
    try {
      const reply = await receiveReply(request, begun);
      // Logged before the circuit breaker, which may open, so that it names this cause.
      if (isBareServerError(reply)) this.#log.response(operation, parameters, reply);
      return reply;
    } catch (error) {
      // An attempt that got half its time or more has shown that PIOPIY is slow; a shorter one shows nothing.
      const cutShort = stop.isNow && performance.now() - begun < timeoutMs / 2;
      const Failure = cutShort ? NotAsked : GatewayError;
      const code = codeOf(error);
      // A client that has left shows nothing either.
      if (!cutShort || stop.isDeadline) {
        this.#log.noResponse(operation, isSlow ? "timeout" : code, performance.now() - begun);
      }
      // A certificate is refused before anything of the request has left, although got has written it.
      const isSent = request.timings?.upload !== undefined && !code.includes("CERT");
      throw isWrite(operation) && isSent
        ? new Failure(...outcomeUnknown(operation))
        : new Failure(...nameFailure(operation, code, isSlow));
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}
