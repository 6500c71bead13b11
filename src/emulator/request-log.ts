import type { Fault } from "./faults.js";
import type { Body, OperationName } from "./operations.js";

const MAX_CALLS = 100_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** What a call takes besides its username. */
const CALL_BYTES = 250;

/** What is remembered of a call: never a password, nor the account. */
interface Call {
  readonly operation: OperationName;
  readonly username?: string;
  readonly page?: number;
  /** Null while no answer was given, and for good when the connection ended without one. */
  status: number | null;
  code: string | number | null;
  readonly at: string;
  /** How many calls were in flight when this one arrived, itself included. */
  readonly concurrent: number;
  fault?: Fault["kind"];
}

/**
 * What was asked, oldest first. A call is there from its arrival on; the oldest are dropped beyond 100,000 calls or 32 MiB,
 * since usernames may have any length.
 */
export class CallRecord {
  private calls: (Call | undefined)[] = [];
  /** Where the oldest call is. */
  private oldest = 0;
  private bytes = 0;
  private readonly inFlight = new Set<Call>();

  begin(operation: OperationName, body: Body): Call {
    const call: Call = {
      operation,
      ...asked(operation, body),
      status: null,
      code: null,
      at: new Date().toISOString(),
      concurrent: this.inFlight.size + 1,
    };
    this.calls.push(call);
    this.bytes += bytesOf(call);
    while (this.bytes > MAX_BYTES || this.calls.length - this.oldest > MAX_CALLS) this.drop();
    this.inFlight.add(call);
    return call;
  }

  /** Ends the call with what was answered, if anything was. Only the first end of a call counts. */
  end(call: Call, status: number | null = null, code: string | number | null = null): void {
    if (!this.inFlight.delete(call)) return;
    call.status = status;
    call.code = code;
  }

  list(): readonly Call[] {
    return this.calls.slice(this.oldest) as Call[];
  }

  clear(): void {
    this.calls = [];
    this.oldest = 0;
    this.bytes = 0;
  }

  private drop(): void {
    this.bytes -= bytesOf(this.calls[this.oldest]);
    this.calls[this.oldest++] = undefined;
    // Shifting so long an array at every call would cost more than the call.
    if (this.oldest <= MAX_CALLS) return;
    this.calls = this.calls.slice(this.oldest);
    this.oldest = 0;
  }
}

function bytesOf(call: Call | undefined): number {
  return CALL_BYTES + 2 * (call?.username?.length ?? 0);
}

function asked(operation: OperationName, body: Body): Pick<Call, "username" | "page"> {
  if (operation === "list_sip") return typeof body?.page === "number" ? { page: body.page } : {};
  return typeof body?.username === "string" ? { username: body.username } : {};
}
