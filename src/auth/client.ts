import type { FastifyBaseLogger } from "fastify";
import type { Secret } from "../secret.js";

/** Who sends a request, and what they may do. */
export interface Client {
  /** The name of an API key, the subject of a token, or the address where everybody may call. */
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Tells whose credential this is; undefined when it is nobody's. The log learns why, without any part of it.
 * Throws a `GatewayError` when it cannot be checked now.
 */
export type Authenticate = (credential: Secret, log: FastifyBaseLogger) => Promise<Client | undefined>;
