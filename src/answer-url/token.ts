import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Config } from "../config.js";
import { type ConnectActionSpecification, connectActionProblems } from "../pcmo/connect-action.js";
import type { Secret } from "../secret.js";

/** The maximum length of the token in an answer URL, in characters. */
export const MAX_TOKEN_LENGTH = 4000;

const VERSION = 1;

const callTypes = ["AUDIO", "VIDEO"] as const;
const ringTypes = ["SINGLE", "GROUP"] as const;

/** The version, the expiry and the specification. The payload is a short list without keys, since it becomes a part of a URL. */
const payloadShape = z.tuple([
  z.literal(VERSION),
  z.int().nonnegative(),
  z.array(z.string()),
  z.string(),
  z.enum(callTypes),
  z.enum(ringTypes),
  z.int(),
  z.int(),
  z.int(),
]);

/**
 * Creates and verifies the tokens of answer URLs. A token contains the whole specification of a connect action, so nothing is
 * stored. An HMAC-SHA256 protects it from changes.
 */
export class AnswerTokens {
  /** @param secrets the secrets of signatures: the first one signs new tokens, and tokens of all secrets are accepted */
  constructor(private readonly secrets: readonly [Secret, ...Secret[]]) {}

  /**
   * Creates the token of a specification.
   *
   * @param expiresAt seconds since 1970; 0 for never
   */
  create(specification: ConnectActionSpecification, expiresAt: number): string {
    const { call, from, callType, ringType, timeout, duration, loop } = specification;
    const users = call.map(({ user }) => user);
    const fields: z.input<typeof payloadShape> = [
      VERSION,
      expiresAt,
      users,
      from ?? "",
      callType,
      ringType,
      timeout,
      duration,
      loop,
    ];
    const payload = Buffer.from(JSON.stringify(fields)).toString("base64url");
    return `${payload}.${sign(payload, this.secrets[0])}`;
  }

  /** Returns the specification of a token, or undefined if none of the secrets has signed it or it has expired. */
  verify(token: string): ConnectActionSpecification | undefined {
    const [payload = "", signature = "", ...rest] = token.split(".");
    const isSigned = this.secrets.filter((secret) => isEqual(sign(payload, secret), signature)).length > 0;
    if (!isSigned || rest.length > 0 || token.length > MAX_TOKEN_LENGTH) return undefined;
    const { data } = payloadShape.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString()));
    if (!data || (data[1] !== 0 && data[1] * 1000 <= Date.now())) return undefined;
    const [, , users, from, callType, ringType, timeout, duration, loop] = data;
    const call = users.map((user) => ({ user }));
    const specification = { call, from: from || null, callType, ringType, timeout, duration, loop };
    return connectActionProblems(specification).length === 0 ? specification : undefined;
  }
}

/** Returns the signature of a token. The signature is short, and different for each token. */
export function signatureOf(token: string): string {
  return token.slice(token.indexOf(".") + 1);
}

function sign(payload: string, secret: Secret): string {
  return createHmac("sha256", secret.reveal()).update(payload).digest("base64url");
}

/** Compares the texts in constant time, not their bytes: several texts decode to the same bytes. */
function isEqual(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The expiry with the most digits, for which the token is longest. */
const MAX_EXPIRY = 9_999_999_999;

/** Creates answer URLs, which respond to PIOPIY's call webhook with a PCMO document. */
export class AnswerUrls {
  readonly tokens: AnswerTokens;
  private readonly publicUrl: () => string;

  /** @param origin returns the address that the gateway listens on, which is used if `PUBLIC_URL` is not set */
  constructor({ publicUrl, secrets }: NonNullable<Config["answer"]>, origin: () => string) {
    this.tokens = new AnswerTokens(secrets);
    this.publicUrl = () => publicUrl ?? origin();
  }

  /** Returns whether a specification fits into an answer URL, with any expiry. */
  fits(specification: ConnectActionSpecification): boolean {
    return this.tokens.create(specification, MAX_EXPIRY).length <= MAX_TOKEN_LENGTH;
  }

  /**
   * Creates the answer URL of a specification that fits.
   *
   * @param expiresIn seconds until the answer URL expires; if omitted, it does not expire
   */
  create(specification: ConnectActionSpecification, expiresIn?: number | null): string {
    const expiresAt = expiresIn == null ? 0 : Math.floor(Date.now() / 1000) + expiresIn;
    return `${this.publicUrl()}/answer/${this.tokens.create(specification, expiresAt)}`;
  }
}
