import type { FastifyBaseLogger } from "fastify";
import type { Secret } from "../secret.js";
import type { Caller } from "./client.js";

/**
 * Tells whose credential this is; undefined when it is nobody's. The log learns why, without any part of it.
 * Throws a `GatewayError` when it cannot be checked now.
 */
export type Authenticate = (credential: Secret, log: FastifyBaseLogger) => Promise<Caller | undefined>;
