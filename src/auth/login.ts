import type { FastifyRequest } from "fastify";
import type { Config } from "../config.js";
import { scopes } from "../config.js";
import { GatewayError } from "../errors.js";
import { Secret } from "../secret.js";
import { countRefusedLogin } from "../telemetry/metrics.js";
import { traceFields } from "../telemetry/tracing.js";
import { authenticateApiKey } from "./api-key.js";
import type { AuditLog } from "./audit-log.js";
import type { Client, RefusalReason } from "./client.js";
import { clientAddress, clientKey } from "./client.js";
import { FixedWindowCounter } from "./fixed-window-counter.js";
import { authenticateJsonWebToken } from "./json-web-token.js";

const MAX_FAILURES = 30;
const WINDOW_SECONDS = 60;

/**
 * Limits invalid credentials by address, in windows of a minute. Valid credentials are never limited, so that clients behind one
 * address do not lock each other out. Each process counts separately, so that unauthenticated requests cause no traffic to Redis.
 */
class FailedLogins {
  private readonly failures = new FixedWindowCounter(1000 * WINDOW_SECONDS);

  /** Counts an invalid credential, and throws `RATE_LIMITED` when there were too many. */
  count(key: string): void {
    const { count, msLeft } = this.failures.add(key);
    if (count <= MAX_FAILURES) return;
    throw new GatewayError(
      "RATE_LIMITED",
      `This address has sent more than ${MAX_FAILURES} invalid credentials within a minute. Correct the credential, and try again in ` +
        `${Math.ceil(msLeft / 1000)} seconds.`,
      { retryAfterMs: msLeft },
    );
  }
}

/** Returns the client that sends a request. */
export type Login = (request: FastifyRequest) => Promise<Client>;

/**
 * Authenticates requests by the header `Authorization: Bearer …`. Throws `UNAUTHENTICATED` with one message for every reason, and
 * `RATE_LIMITED` for an invalid credential from an address that sends many.
 */
export function createLogin({ auth: settings, proxies }: Config, auditLog: AuditLog): Login {
  if (settings.mode === "none") {
    const all = new Set(scopes);
    return async (request) => ({ name: clientKey(request), scopes: all });
  }
  const authenticate =
    settings.mode === "jwt" ? authenticateJsonWebToken(settings, proxies) : authenticateApiKey(settings.keys);
  const failed = new FailedLogins();
  return async (request) => {
    const [, credential] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "") ?? [];
    // Read before the login: a connection that closes while keys are fetched has no address any more.
    const key = clientKey(request);
    const address = clientAddress(request);
    let reason: RefusalReason | undefined;
    try {
      const result =
        credential === undefined ? "missing" : await authenticate(new Secret(credential), request.log);
      if (typeof result === "object") return result;
      reason = result;
      request.log.debug({ reason }, "credential rejected");
      if (reason !== "missing") failed.count(key);
      throw unauthenticatedError();
    } catch (error) {
      if (error instanceof GatewayError) {
        countRefusedLogin({ reason: reason ?? "issuer-unavailable" });
        auditLog.recordRefusal(key, {
          what: "login",
          outcome: error.code,
          reason,
          requestId: request.id,
          ...traceFields(request.trace),
          address,
        });
      }
      throw error;
    }
  };
}

function unauthenticatedError(): GatewayError {
  return new GatewayError(
    "UNAUTHENTICATED",
    "The credential is missing or invalid. Send a valid one as the header `Authorization: Bearer …`. The operator of the gateway issues credentials.",
  );
}
