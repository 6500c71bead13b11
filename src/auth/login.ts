import type { FastifyRequest } from "fastify";
import type { Audit } from "../audit.js";
import { GatewayError } from "../errors.js";
import { Secret } from "../secret.js";
import { authenticateApiKey } from "./api-key.js";
import type { AuthSettings } from "./auth-settings.js";
import type { Authenticate } from "./authenticate.js";
import { type Caller, scopes } from "./caller.js";
import { FailedLogins } from "./failed-logins.js";
import { authenticateJsonWebToken } from "./json-web-token.js";

export type Login = (request: FastifyRequest) => Promise<Caller>;

/**
 * Tells who sends a request, by its header `Authorization: Bearer …`. Throws `UNAUTHENTICATED`, in the same words
 * for every reason, and `RATE_LIMITED` for an address that fails again and again.
 */
export function createLogin(settings: AuthSettings, audit: Audit): Login {
  if (settings.mode === "none") return async ({ ip }) => ({ name: ip, scopes: new Set(scopes) });
  const authenticate =
    settings.mode === "jwt" ? authenticateJsonWebToken(settings) : authenticateApiKey(settings.keys);
  const failed = new FailedLogins();
  return async (request) => {
    try {
      return await check(request, authenticate, failed);
    } catch (error) {
      if (error instanceof GatewayError) {
        const { id, ip } = request;
        audit.record({ what: "login", outcome: error.code, requestId: id, address: ip });
      }
      throw error;
    }
  };
}

async function check(
  request: FastifyRequest,
  authenticate: Authenticate,
  failed: FailedLogins,
): Promise<Caller> {
  const [, credential] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "") ?? [];
  if (credential === undefined) throw unauthenticated();
  await failed.refuse(request.ip);
  const caller = await authenticate(new Secret(credential), request.log);
  await failed.count(request.ip, caller !== undefined);
  if (caller) return caller;
  throw unauthenticated();
}

function unauthenticated(): GatewayError {
  return new GatewayError(
    "UNAUTHENTICATED",
    "This needs a valid credential, sent as the header `Authorization: Bearer …`. Ask the operator of this gateway for one.",
  );
}
