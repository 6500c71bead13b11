import type { Fault } from "./faults.js";
import type { OperationName } from "./operations.js";
import type { Body } from "./perform.js";

const REMEMBERED = 100_000;

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

/** What was asked, oldest first. A call is there from its arrival on; the oldest of very many are dropped. */
export class CallRecord {
  private calls: Call[] = [];
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
    // Dropping in bulk: shifting so long an array at every call would cost more than the call.
    if (this.calls.length === 2 * REMEMBERED) this.calls = this.calls.slice(-REMEMBERED);
    this.calls.push(call);
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
    return this.calls.slice(-REMEMBERED);
  }

  clear(): void {
    this.calls = [];
  }
}

function asked(operation: OperationName, body: Body): Pick<Call, "username" | "page"> {
  if (operation === "list_sip") return typeof body?.page === "number" ? { page: body.page } : {};
  return typeof body?.username === "string" ? { username: body.username } : {};
}
