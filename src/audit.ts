import type { FastifyBaseLogger } from "fastify";

/** One thing that somebody did, or was refused. Never holds a password, a credential or any part of one. */
export interface AuditEntry {
  /** The caller's name; left out when nobody logged in. */
  readonly who?: string | undefined;
  /** `login`, or a field of the graph such as `Mutation.createSipEndpoint`. */
  readonly what: string;
  /** The SIP endpoint. */
  readonly username?: string | undefined;
  /** `done`, or the code of the error or of the user errors. */
  readonly outcome: string;
  readonly requestId: string;
  /** Where the request came from. */
  readonly address: string;
}

/** Callers choose both names. */
const MAX_NAME = 100;

/**
 * The audit trail: one log line a change, a read password and a refused caller. It has the logger name `audit`, so
 * that it can be shipped elsewhere, and is written at every log level.
 */
export class Audit {
  private readonly log: FastifyBaseLogger;

  constructor(log: FastifyBaseLogger) {
    this.log = log.child({ name: "audit" }, { level: "info" });
  }

  record({ who, username, ...entry }: AuditEntry): void {
    const names = { who: who?.slice(0, MAX_NAME), username: username?.slice(0, MAX_NAME) };
    this.log.info({ ...names, ...entry }, "audit");
  }
}
