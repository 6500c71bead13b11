import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";
import PQueue from "p-queue";
import { GatewayError } from "../errors.js";
import type { Authenticate } from "./authenticate.js";

/** What a JSON Web Token (RFC 7519) is checked against. */
export interface JsonWebTokenSettings {
  /** Where the issuer publishes its public keys, as a JSON Web Key Set (RFC 7517). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Symmetric algorithms are left out: with them, whoever knows the public key could sign. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"];
const CLOCK_SKEW_SECONDS = 5;

/**
 * Knows callers by tokens: the subject is their name, and the claim `scope` (RFC 8693) what they may do. The
 * issuer's keys are kept for ten minutes; a token by a key that is not among them has them fetched anew.
 */
export function authenticateJsonWebToken({ jwksUrl, issuer, audience }: JsonWebTokenSettings): Authenticate {
  // New keys hold at once, and strangers who invent key ids still cause one fetch a second at most.
  const fetches = new PQueue({ intervalCap: 1, interval: 1000 });
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: 0,
    [customFetch]: (url, options) => fetches.add(() => fetch(url, options)),
  });
  let logged: unknown;
  return async (credential, log) => {
    try {
      const { payload } = await jwtVerify(credential.reveal(), keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ["exp"],
      });
      const { sub, client_id: client, scope } = payload;
      const name = [sub, client].find((claim) => typeof claim === "string") as string | undefined;
      return {
        name: name ?? "a token without a subject",
        scopes: new Set(typeof scope === "string" ? scope.split(" ") : []),
      };
    } catch (error) {
      if (isRefusal(error)) {
        log.debug({ reason: error.code }, "token refused");
        return undefined;
      }
      // Tokens that wait for one fetch get one error, so the log has one entry a fetch.
      if (error !== logged) log.error({ err: error }, "no keys to check tokens with");
      logged = error;
      throw new GatewayError(
        "UPSTREAM_UNAVAILABLE",
        "The keys to check tokens with cannot be fetched from their issuer now. Try again.",
      );
    }
  };
}

/** Whether the token is to blame, and not the fetch of the keys. */
function isRefusal(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"].includes(error.code)
  );
}
