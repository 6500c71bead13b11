import type { FastifyBaseLogger } from "fastify";
import type { Caller } from "./caller.js";

/**
 * Tells whose credential this is; undefined when it is nobody's. The log learns why, without any part of it.
 * Throws a `GatewayError` when it cannot be checked now.
 */
export type Authenticate = (credential: string, log: FastifyBaseLogger) => Promise<Caller | undefined>;
