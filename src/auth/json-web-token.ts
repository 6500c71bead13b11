import type { FastifyBaseLogger } from "fastify";
import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { GatewayError } from "../errors.js";
import type { Authenticate } from "./client.js";
import { IssuerKeys } from "./issuer-keys.js";

/** What a JSON Web Token (RFC 7519) is checked against. */
export interface JsonWebTokenSettings {
  /** Where the issuer publishes its public keys, as a JSON Web Key Set (RFC 7517). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Symmetric algorithms are left out: with them, everybody who has the public key could sign. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"];
const CLOCK_SKEW_SECONDS = 5;

/** Authenticates clients by JSON Web Tokens: the subject is the name, the claim `scope` (RFC 8693) has the scopes. */
export function authenticateJsonWebToken({ jwksUrl, issuer, audience }: JsonWebTokenSettings): Authenticate {
  const keys = new IssuerKeys(jwksUrl);
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_SKEW_SECONDS,
    requiredClaims: ["exp"],
  };
  let logged: unknown;
  return async (credential, log) => {
    try {
      const { sub, client_id: clientId, scope } = await verify(credential.reveal(), keys, log, options);
      const name = [sub, clientId].find((claim) => typeof claim === "string") as string | undefined;
      return {
        name: name ?? "a token without a subject",
        scopes: new Set(typeof scope === "string" ? scope.split(" ") : []),
      };
    } catch (error) {
      if (isInvalidToken(error)) {
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

/** Verifies a token and returns its claims. One that names no key may be signed by a new one: the keys are fetched once more. */
async function verify(
  token: string,
  keys: IssuerKeys,
  log: FastifyBaseLogger,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  const getKey = keys.keyLookup(log);
  try {
    return await tryKeys(token, getKey, options);
  } catch (error) {
    const isUnknownKey = error instanceof errors.JWSSignatureVerificationFailed;
    if (!isUnknownKey || decodeProtectedHeader(token).kid !== undefined) throw error;
    await keys.fetch();
    return tryKeys(token, getKey, options);
  }
}

/** Tries each key that may have signed the token. */
async function tryKeys(
  token: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, getKey, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let failure: errors.JOSEError = new errors.JWSSignatureVerificationFailed();
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (reason) {
        const isSigned = !(reason instanceof errors.JWSSignatureVerificationFailed);
        if (reason instanceof errors.JOSEError && isSigned) failure = reason;
      }
    }
    throw failure;
  }
}

/** Tells whether the token is invalid, rather than that its keys could not be fetched. */
function isInvalidToken(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"].includes(error.code)
  );
}
