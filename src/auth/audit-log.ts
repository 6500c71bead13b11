import type { FastifyBaseLogger } from "fastify";
import type { TraceFields } from "../telemetry/tracing.js";
import type { RefusalReason } from "./client.js";

/** An action of a client, or a rejection. It never contains a password, a credential or a part of one. */
export interface AuditEntry extends TraceFields {
  /** The client's name. Omitted if the credential is not valid. */
  readonly who?: string | undefined;
  /** `login`, `host`, or a field of the graph such as `Mutation.createSipEndpoint`. */
  readonly what: string;
  /** The SIP endpoint. */
  readonly username?: string | undefined;
  /** `done`, `dry-run`, or the code of the error or of the user errors. */
  readonly outcome: string;
  /** Why a credential was refused. */
  readonly reason?: RefusalReason | undefined;
  readonly requestId: string;
  /** Where the request came from. */
  readonly address: string;
  /** The number of rejections that the entry summarizes. Omitted for a single rejection. */
  readonly count?: number;
}

/** The rejections of one client and kind that follow the first rejection. The first one is written immediately. */
interface Aggregate {
  readonly timer: NodeJS.Timeout;
  count: number;
  last: AuditEntry;
}

/** The maximum length of a client's name and of a username in an entry: clients choose both. */
const MAX_NAME_LENGTH = 100;
const INTERVAL_MS = 10_000;
const MAX_AGGREGATES = 10_000;
/** The key of all clients and kinds beyond `MAX_AGGREGATES`. */
const OTHERS = "";

/**
 * Writes the audit log: one entry for each change, each password that is read and each rejection. The entries have the logger name
 * `audit`, so that they can be collected separately. They are written at every log level.
 */
export class AuditLog {
  private readonly log: FastifyBaseLogger;
  private readonly aggregates = new Map<string, Aggregate>();

  /** @param intervalMs for how long rejections are counted before their entry is written, in milliseconds */
  constructor(
    log: FastifyBaseLogger,
    private readonly intervalMs = INTERVAL_MS,
  ) {
    this.log = log.child({ name: "audit" }, { level: "info" });
  }

  record({ who, username, ...entry }: AuditEntry): void {
    const names = { who: who?.slice(0, MAX_NAME_LENGTH), username: username?.slice(0, MAX_NAME_LENGTH) };
    this.log.info({ ...names, ...entry }, "audit");
  }

  /**
   * Records a rejection. Unauthenticated requests can cause any number of rejections, so only the first one of a client and kind is
   * written immediately. The rejections of the next ten seconds become one entry, with their `count` and with the request id and
   * address of the last rejection.
   *
   * @param client the name or the key of the client
   */
  recordRefusal(client: string, entry: AuditEntry): void {
    const kind = `${client.slice(0, MAX_NAME_LENGTH)} ${entry.what} ${entry.outcome} ${entry.reason}`;
    const key = this.aggregates.has(kind) || this.aggregates.size < MAX_AGGREGATES ? kind : OTHERS;
    const last =
      key === OTHERS ? { ...entry, who: undefined, what: "other refusals", reason: undefined } : entry;
    const aggregate = this.aggregates.get(key);
    if (aggregate) {
      aggregate.count += 1;
      aggregate.last = last;
    } else {
      this.record(entry);
      const timer = setTimeout(() => this.writeAggregate(key), this.intervalMs).unref();
      this.aggregates.set(key, { timer, count: 0, last });
    }
  }

  /** Writes the entries of all rejections that are counted but not yet written. */
  close(): void {
    for (const key of [...this.aggregates.keys()]) this.writeAggregate(key);
  }

  private writeAggregate(key: string): void {
    const aggregate = this.aggregates.get(key);
    if (!aggregate) return;
    clearTimeout(aggregate.timer);
    this.aggregates.delete(key);
    const { count, last } = aggregate;
    if (count > 0) this.record({ ...last, username: undefined, count });
  }
}
