import type { FastifyBaseLogger } from "fastify";
import type { Secret } from "../secret.js";

/** The client that sends a request, and what it may do. */
export interface Client {
  /** The name of an API key, the subject of a token, or with `AUTH=none` the address. */
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Returns the client of a credential, or undefined for an invalid one. Logs why it is invalid, without any part of it. Throws a
 * `GatewayError` when it cannot be validated now.
 */
export type Authenticate = (credential: Secret, log: FastifyBaseLogger) => Promise<Client | undefined>;
