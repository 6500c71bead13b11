import type { IncomingHttpHeaders } from "node:http";
import type { Fault } from "./faults.js";
import type { Body, OperationName } from "./operations.js";

const MAX_ENTRIES = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** The size of an entry without its username. */
const ENTRY_BYTES = 600;

const REQUEST_ID = /^[\w.-]{1,64}$/;
const TRACEPARENT = /^[\da-f-]{55}$/;

/** The logged data of a request. It never contains a password or the account. */
interface LogEntry {
  readonly operation: OperationName;
  readonly username?: string;
  readonly page?: number;
  /** The header `X-Request-Id`, if it has at most 64 letters, digits and punctuation marks. */
  readonly requestId?: string;
  /** The header `traceparent`, if it has the form that the W3C defines. */
  readonly traceparent?: string;
  /** Null until the response is sent, and permanently when the connection ended without a response. */
  status: number | null;
  code: string | number | null;
  readonly at: string;
  /** How many requests were in flight when this one arrived, itself included. */
  readonly concurrent: number;
  fault?: Fault["kind"];
}

/**
 * Logs the requests for PIOPIY's operations, oldest first. The entry of a request is added when the request arrives. The log is
 * limited to 100,000 entries and, since usernames may have any length, to 64 MiB. The oldest entries are dropped.
 */
export class RequestLog {
  private readonly entries = new Set<LogEntry>();
  /** Continues at the oldest entry. A new iterator would first skip all dropped entries. */
  private readonly fromOldest = this.entries.values();
  private bytes = 0;
  private readonly inFlight = new Set<LogEntry>();

  begin(operation: OperationName, body: Body, headers: IncomingHttpHeaders = {}): LogEntry {
    const entry: LogEntry = {
      operation,
      ...loggedParameters(operation, body),
      ...loggedHeaders(headers),
      status: null,
      code: null,
      at: new Date().toISOString(),
      concurrent: this.inFlight.size + 1,
    };
    this.entries.add(entry);
    this.bytes += bytesOf(entry);
    while (this.bytes > MAX_BYTES || this.entries.size > MAX_ENTRIES) this.drop(this.fromOldest.next().value);
    this.inFlight.add(entry);
    return entry;
  }

  /** Completes the entry with the response, if there was one. A second end of the same request is ignored. */
  end(entry: LogEntry, status: number | null = null, code: string | number | null = null): void {
    if (!this.inFlight.delete(entry)) return;
    entry.status = status;
    entry.code = code;
  }

  list(): readonly LogEntry[] {
    return [...this.entries];
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  private drop(entry: LogEntry | undefined): void {
    if (entry && this.entries.delete(entry)) this.bytes -= bytesOf(entry);
  }
}

function bytesOf({ username = "" }: LogEntry): number {
  return ENTRY_BYTES + 2 * username.length;
}

function loggedHeaders({
  "x-request-id": requestId,
  traceparent,
}: IncomingHttpHeaders): Pick<LogEntry, "requestId" | "traceparent"> {
  return {
    ...(typeof requestId === "string" && REQUEST_ID.test(requestId) && { requestId }),
    ...(typeof traceparent === "string" && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}

function loggedParameters(operation: OperationName, body: Body): Pick<LogEntry, "username" | "page"> {
  if (operation === "list_sip") return typeof body?.page === "number" ? { page: body.page } : {};
  return typeof body?.username === "string" ? { username: body.username } : {};
}
