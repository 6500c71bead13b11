import { type Agent, get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { createAgent, type EgressProxies } from "../egress-proxy.js";
import { GatewayError } from "../errors.js";
import { scopesIn, usernameIn } from "./claims.js";
import type { Authenticate, RefusalReason } from "./client.js";

const REFRESH_MS = 600_000;
const MAX_AGE_MS = 3_600_000;
const RETRY_MS = 60_000;
/** The minimum time between two fetches. New keys are found within a second, and tokens with invented key ids cause few fetches. */
const FETCH_INTERVAL_MS = 1000;
const TIMEOUT_MS = 5000;

/**
 * Caches the public keys of an issuer. The keys are fetched again after ten minutes, and when a token names an unknown key. While
 * they cannot be fetched, the cached keys are used for up to an hour.
 */
class IssuerKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(url: string, proxies: EgressProxies) {
    let nextFetchAt = 0;
    const fetchKeys = fetchWith(createAgent(url, proxies, TIMEOUT_MS));
    this.#keys = createRemoteJWKSet(new URL(url), {
      // jose measures these times by the system clock, which may be set back. This class measures them by the monotonic clock
      // instead.
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      timeoutDuration: TIMEOUT_MS,
      // jose runs one fetch at a time.
      [customFetch]: async (address, options) => {
        await sleep(Math.max(0, nextFetchAt - performance.now()), undefined, { signal: options.signal });
        nextFetchAt = performance.now() + FETCH_INTERVAL_MS;
        return fetchKeys(address, options);
      },
    });
  }

  /** Returns the function with which jose finds the key of a token. The function logs an outage of the issuer. */
  keyLookup(log: FastifyBaseLogger): JWTVerifyGetKey {
    return async (header, token) => {
      await this.#refresh(log);
      try {
        return await this.#keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await this.fetch();
        return this.#keys(header, token);
      }
    };
  }

  /** Fetches the keys now, or throws. */
  async fetch(): Promise<void> {
    await this.#keys.reload();
    this.#fetchedAt = performance.now();
  }

  async #refresh(log: FastifyBaseLogger): Promise<void> {
    const age = performance.now() - this.#fetchedAt;
    if (age < REFRESH_MS) return;
    if (age >= MAX_AGE_MS) return this.fetch();
    const isOutage = this.#failedAt > this.#fetchedAt;
    if (isOutage && performance.now() - this.#failedAt < RETRY_MS) return;
    const fetched = this.fetch().catch((error: unknown) => {
      // Every request that waits for the same fetch runs this. Only the first one logs.
      if (performance.now() - this.#failedAt < RETRY_MS) return;
      this.#failedAt = performance.now();
      log.warn(
        { err: error },
        "the issuer's keys cannot be fetched: the cached keys are used for up to an hour",
      );
    });
    // During an outage no request waits for the next attempt.
    if (!isOutage) await fetched;
  }
}

/** Returns a function that fetches keys with an agent. The `fetch` of Node.js has no agents, and so no proxies. */
function fetchWith(agent: Agent): FetchImplementation {
  return (url, { headers, signal }) =>
    new Promise((resolve, reject) => {
      // jose recognizes a timeout by the reason of the signal.
      const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
      const get = url.startsWith("https:") ? httpsGet : httpGet;
      const request = get(url, { agent, headers: Object.fromEntries(headers), signal }, (response) => {
        const { statusCode } = response;
        text(response)
          .then((body) => resolve(new Response(body, { status: statusCode ?? 0 })))
          .catch(fail);
      });
      request.on("error", fail);
    });
}

/** The settings that a JSON Web Token (RFC 7519) is verified against. */
export interface JsonWebTokenSettings {
  /** Where the issuer publishes its public keys, as a JSON Web Key Set (RFC 7517). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** The claims that have the scopes: names, or dotted paths. */
  readonly scopeClaims: readonly string[];
  /** The claim that has the SIP username of a person. */
  readonly usernameClaim: string | undefined;
}

/** Symmetric algorithms are left out: with them, the public key would be enough to sign a token. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"];
const CLOCK_SKEW_SECONDS = 5;

/** Authenticates clients by JSON Web Tokens. The subject is the name of the client. */
export function authenticateJsonWebToken(
  { jwksUrl, issuer, audience, scopeClaims, usernameClaim }: JsonWebTokenSettings,
  proxies: EgressProxies,
): Authenticate {
  const keys = new IssuerKeys(jwksUrl, proxies);
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
      const claims = await verify(credential.reveal(), keys, log, options);
      const name = [claims.sub, claims.client_id].find((claim) => typeof claim === "string");
      return {
        name: (name as string | undefined) ?? "a token without a subject",
        scopes: scopesIn(claims, scopeClaims),
        username: usernameIn(claims, usernameClaim),
      };
    } catch (error) {
      if (isInvalidToken(error)) {
        return reasonOf(error);
      }
      // Tokens that wait for the same fetch get the same error, so the log has one entry per fetch.
      if (error !== logged)
        log.error({ err: error }, "tokens cannot be verified: the keys of their issuer are unavailable");
      logged = error;
      throw new GatewayError(
        "UPSTREAM_UNAVAILABLE",
        "The token cannot be verified: the keys of its issuer are unavailable. Try again later.",
      );
    }
  };
}

/**
 * Verifies a token and returns its claims. Some tokens have no key id. If such a token matches no cached key, a new key may have
 * signed it, so the keys are fetched once more.
 */
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

/** Returns whether the token is invalid. Other errors mean that the keys could not be fetched. */
function isInvalidToken(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"].includes(error.code)
  );
}

/** The reasons of tokens whose claims are not as configured. */
const reasonByClaim: Readonly<Record<string, RefusalReason>> = {
  iss: "issuer",
  aud: "audience",
  exp: "no-expiry",
  nbf: "not-yet-valid",
};

function reasonOf(error: errors.JOSEError): RefusalReason {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return "signature";
  // The reason `invalid` is that of a time which is not a number.
  const isClaim = error instanceof errors.JWTClaimValidationFailed && error.reason !== "invalid";
  return (isClaim && reasonByClaim[error.claim]) || "malformed";
}
