import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { AnswerUrls } from "../answer-url/token.js";
import type { Audit } from "../auth/audit-log.js";
import type { Caller } from "../auth/client.js";
import { clientAddress } from "../auth/client-address.js";
import type { RateLimit } from "../auth/rate-limit.js";
import type { Config } from "../config.js";
import type { GatewayError } from "../errors.js";
import { Budget } from "../piopiy/budget.js";
import type { CachedClient } from "../piopiy/cached-client.js";
import { PiopiyLoader } from "../piopiy/loader.js";

/** What one GraphQL operation may use. */
export interface Context {
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
  readonly caller: Caller;
  readonly piopiy: PiopiyLoader;
  readonly pcmoTargetsKey: "call" | "connect";
  /** Undefined where `PUBLIC_URL` is not set. */
  readonly answerUrls: AnswerUrls | undefined;
  /** What the operation has cost until now, and what it may cost. */
  readonly spent: number;
  readonly maxCost: number;
  /** Takes units off the client's rate limit, or throws `RATE_LIMITED`. */
  charge(units: number): Promise<void>;
  /**
   * Writes a line of the audit trail: a field of the graph, the endpoint that it was about, and how it ended. An answer
   * that takes one is not given again.
   */
  audit(what: string, username: string | undefined, outcome: string): void;
  /** Adds an error to the response beside the data of the field at this path, which is not null because of it. */
  reportError(error: GatewayError, path: readonly (string | number)[]): void;
  readonly reportedErrors: readonly ReportedError[];
  /** Has this operation run each time that it is asked, because its answer is another one each time. */
  forbidRepeat(): void;
  /**
   * Lets this answer be given to whoever asks the same and may see the same, unless that was forbidden, or PIOPIY was asked:
   * only what is read again and again is worth its place.
   */
  allowRepeat(operationName: string | undefined): void;
}

/** An error that stands beside the data of its field. */
export interface ReportedError {
  readonly error: GatewayError;
  readonly path: readonly (string | number)[];
}

/** What all operations share. */
export interface Services {
  readonly client: CachedClient;
  readonly rateLimit: RateLimit;
  readonly audit: Audit;
  readonly answerUrls: AnswerUrls | undefined;
}

/** What every request costs; it is taken before the request is read. */
export const DOOR_COST = 1;

/** Makes the context of one operation. When the connection closes before the answer, its upstream reads end. */
export function createContext(
  { deadlineMs, limits, pcmoTargetsKey }: Config,
  { client, rateLimit, audit, answerUrls }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Context {
  const { id: requestId, log, caller } = request;
  const address = clientAddress(request);
  const budget = new Budget(deadlineMs, caller.name);
  const piopiy = new PiopiyLoader(client, budget);
  let spent = 0;
  const reportedErrors: ReportedError[] = [];
  let isRepeatForbidden = false;
  const forbidRepeat = () => {
    isRepeatForbidden = true;
  };
  reply.raw.once("close", () => {
    if (reply.raw.writableFinished) budget.close();
    else budget.abandon();
  });
  return {
    requestId,
    log,
    caller,
    piopiy,
    pcmoTargetsKey,
    answerUrls,
    get spent() {
      return spent;
    },
    maxCost: limits.cost,
    charge(units) {
      const paid = spent === 0 ? DOOR_COST : 0;
      spent += units;
      return rateLimit.charge(caller.name, units, reply, paid);
    },
    audit(what, username, outcome) {
      forbidRepeat();
      const entry = { who: caller.name, what, username, outcome, requestId, address };
      if (outcome === "FORBIDDEN") audit.refuse(caller.name, entry);
      else audit.record(entry);
    },
    reportedErrors,
    reportError: (error, path) => reportedErrors.push({ error, path }),
    forbidRepeat,
    allowRepeat(operationName) {
      const { keptSince } = piopiy;
      if (isRepeatForbidden || keptSince === undefined) return;
      request.repeatable = { cost: spent, operationName, readAt: keptSince };
    },
  };
}
