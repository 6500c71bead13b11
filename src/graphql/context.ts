import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { AnswerUrls } from "../answer-url/token.js";
import type { AuditLog } from "../auth/audit-log.js";
import type { Client } from "../auth/client.js";
import { clientAddress } from "../auth/client.js";
import { describeCost, type OperationCost, type RateLimit, REQUEST_UNITS } from "../auth/rate-limit.js";
import type { Config } from "../config.js";
import type { ErrorCode, GatewayError } from "../errors.js";
import type { PiopiyClient } from "../piopiy/client.js";
import { OperationDeadline } from "../piopiy/deadline.js";
import { type CacheResult, PiopiyLoader } from "../piopiy/loader.js";
import { traceFields } from "../telemetry/tracing.js";
import { limitError } from "./document-limits.js";

/** While a request is in progress, a connection without traffic is closed after the deadline of the operation plus this time. */
export const SILENCE_MS = 30_000;
/** How many endpoints one mutation may create or remove in the time of a usual deadline. */
const ENDPOINTS_PER_DEADLINE = 50;

/** The context of one GraphQL operation, which its resolvers use. */
export interface Context {
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
  readonly client: Client;
  /** The claim that has the username of a client. Undefined: no client has a username. */
  readonly usernameClaim: string | undefined;
  readonly piopiy: PiopiyLoader;
  readonly pcmoTargetsKey: "call" | "connect";
  /** The maximum number of endpoints that a search reads. */
  readonly scanMaxEndpoints: number;
  /** Undefined if answer URLs are not configured. */
  readonly answerUrls: AnswerUrls | undefined;
  /**
   * Returns the cost of the operation: the units that have been charged. For an operation that is rejected because of its cost,
   * returns the cost that is not charged.
   */
  cost(): OperationCost;
  /**
   * Charges units to the client's rate limit: first the cost of the operation, then the cost of additional work during its
   * execution. Throws if the operation exceeds MAX_COST or the rate limit.
   */
  charge(units: number): Promise<void>;
  /**
   * Writes an audit log entry: a field of the graph, the endpoint, and the outcome. Excludes the response from the response
   * cache.
   */
  audit(what: string, username: string | undefined, outcome: string): void;
  /** Adds an error to the response for the field at this path. The data of the field is returned too. */
  reportError(error: GatewayError, path: readonly (string | number)[]): void;
  readonly reportedErrors: readonly ReportedError[];
  /** Adds a hint about input that is valid but may not have the intended effect, with the path of the value in the input. */
  warn(message: string, path: readonly string[]): void;
  readonly warnings: readonly Warning[];
  /** Counts a failure that the response contains as data. */
  countFailure(code: ErrorCode): void;
  /** Gives a mutation of this many endpoints the deadline of an operation for every 50 of them, rounded up. */
  extendDeadline(endpoints: number): void;
  /** Excludes the response from the response cache. */
  noStore(): void;
  readonly storage: ResponseStorage;
  /** Empty until the operation is known. */
  readonly identity: OperationIdentity;
  /** Returns what the operation has done so far. */
  summarize(): OperationSummary;
}

/** Identifies an operation in the log. */
export interface OperationIdentity {
  /** `query` or `mutation`. Undefined if the document is not valid. */
  operation?: string | undefined;
  operationName?: string | undefined;
  /** The SHA-256 hash of the document, in hexadecimal digits: the id of a persisted document. */
  documentHash?: string | undefined;
}

/** An operation, as its log entry describes it. */
export interface OperationSummary extends OperationIdentity {
  /** The cost in cost units. */
  readonly cost: number;
  readonly cache: CacheResult | undefined;
  /** Set if the response cache has returned the whole response. */
  readonly cachedResponse?: true;
  /** The number of attempts. */
  readonly upstreamRequests: number;
  /** The sum of the durations of all attempts, in milliseconds. */
  readonly upstreamMs: number;
  readonly retries: number;
  /** The number of failures that the response contains as data, by their codes. Undefined if there are none. */
  readonly failures?: Readonly<Record<string, number>> | undefined;
}

/** Whether and how the response cache stores the response. */
export interface ResponseStorage {
  isAllowed: boolean;
  /** Set when the response may be stored. */
  storable?: StorableResponse;
}

/** The data that the response cache stores with a response. */
export interface StorableResponse {
  readonly cost: OperationCost;
  readonly identity: OperationIdentity;
  /** When PIOPIY returned the oldest data of the response, by the monotonic clock. */
  readonly readAt: number;
}

/** An error that is reported in addition to the data of its field. */
export interface ReportedError {
  readonly error: GatewayError;
  readonly path: readonly (string | number)[];
}

/** A hint about input that is valid but may not have the intended effect. */
export interface Warning {
  readonly message: string;
  readonly path: readonly string[];
}

/** The services that all operations share. */
export interface Services {
  readonly piopiy: PiopiyClient;
  readonly rateLimit: RateLimit;
  readonly auditLog: AuditLog;
  readonly answerUrls: AnswerUrls | undefined;
}

/** Creates the context of one operation. When the connection closes before the response, its upstream reads are aborted. */
export function createContext(
  { auth, deadlineMs, limits, pcmoTargetsKey, scanMaxEndpoints }: Config,
  { piopiy, rateLimit, auditLog, answerUrls }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Context {
  const { id: requestId, log, client, trace } = request;
  const address = clientAddress(request);
  const deadline = new OperationDeadline(deadlineMs, client.name, requestId, trace);
  const loader = new PiopiyLoader(piopiy, deadline);
  let cost = 0;
  const reportedErrors: ReportedError[] = [];
  const warnings: Warning[] = [];
  const failures: Record<string, number> = {};
  const storage: ResponseStorage = { isAllowed: true };
  const identity: OperationIdentity = {};
  const noStore = () => {
    storage.isAllowed = false;
  };
  reply.raw.once("close", () => {
    if (reply.raw.writableFinished) deadline.close();
    else deadline.abort();
  });
  return {
    requestId,
    log,
    client,
    usernameClaim: auth.mode === "jwt" ? auth.usernameClaim : undefined,
    piopiy: loader,
    pcmoTargetsKey,
    scanMaxEndpoints,
    answerUrls,
    cost: () => describeCost(Math.max(cost, REQUEST_UNITS), reply),
    async charge(units) {
      const charged = cost;
      const paid = charged || (request.refusal ? 0 : REQUEST_UNITS);
      request.refusal = undefined;
      cost = Math.max(charged + units, REQUEST_UNITS);
      try {
        if (cost > limits.cost) throw limitError("MAX_COST", "cost units", cost, limits.cost);
        await rateLimit.charge(client.name, cost, reply, paid);
      } catch (error) {
        if (charged > 0) cost -= units;
        throw error;
      }
    },
    audit(what, username, outcome) {
      noStore();
      const entry = { who: client.name, what, username, outcome, requestId, ...traceFields(trace), address };
      if (outcome === "FORBIDDEN") auditLog.recordRefusal(client.name, entry);
      else auditLog.record(entry);
    },
    reportedErrors,
    reportError: (error, path) => reportedErrors.push({ error, path }),
    warnings,
    warn: (message, path) => warnings.push({ message, path }),
    countFailure(code) {
      failures[code] = (failures[code] ?? 0) + 1;
    },
    extendDeadline(endpoints) {
      const ms = deadlineMs * Math.ceil(endpoints / ENDPOINTS_PER_DEADLINE);
      deadline.extend(ms);
      reply.raw.setTimeout(ms + SILENCE_MS);
    },
    noStore,
    storage,
    identity,
    summarize() {
      const { requests, ms, retries } = deadline.usage;
      return {
        ...identity,
        cost: Math.max(cost, REQUEST_UNITS),
        cache: loader.cacheResult,
        upstreamRequests: requests,
        upstreamMs: Math.round(ms),
        retries,
        failures: Object.keys(failures).length > 0 ? failures : undefined,
      };
    },
  };
}
