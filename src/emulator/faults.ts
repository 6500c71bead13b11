import { setMaxListeners } from "node:events";
import { z } from "zod";
import { operationNames } from "./operations.js";

const MAX_LATENCY_MS = 600_000;

/** A fault that a test can inject. Without `operation` or `username`, it applies to any request. */
export const faultSchema = z
  .strictObject({
    operation: z.enum(operationNames).optional(),
    username: z.string().min(1).optional(),
    kind: z.enum(["latency", "reset", "lose-reply", "status", "garbage", "hang"]),
    times: z.int().min(1).default(1),
    /** The delay in milliseconds, for the kind `latency`. */
    ms: z.int().min(0).max(MAX_LATENCY_MS).optional(),
    /** The HTTP status (503 by default) and the seconds of the Retry-After header, for the kind `status`. */
    status: z.int().min(200).max(599).optional(),
    retryAfter: z.int().min(0).optional(),
  })
  .refine(({ kind, ms }) => kind !== "latency" || ms !== undefined, {
    path: ["ms"],
    error: "required for kind latency",
  })
  .refine(({ operation, username }) => operation !== "list_sip" || username === undefined, {
    path: ["username"],
    error: "not allowed for list_sip, which has no username",
  });

export type Fault = z.infer<typeof faultSchema>;

/** Stores the pending faults, and ends requests that a fault delays. */
export class Faults {
  private queue: Fault[] = [];
  private hold = newHold();

  /** Aborts when delayed requests must end. */
  get released(): AbortSignal {
    return this.hold.signal;
  }

  get pending(): readonly Fault[] {
    return this.queue;
  }

  add(fault: Fault): void {
    this.queue.push(fault);
  }

  /** Returns the first fault that applies to the request, and counts down its `times`. */
  take(operation: string, username: string | undefined): Fault | undefined {
    const fault = this.queue.find(
      (candidate) =>
        (candidate.operation ?? operation) === operation && (candidate.username ?? username) === username,
    );
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.queue.splice(this.queue.indexOf(fault), 1);
    return fault;
  }

  /** Removes all faults and ends delayed requests. */
  clear(): void {
    this.queue = [];
    this.hold.abort();
    this.hold = newHold();
  }
}

/** Creates a controller whose signal may have any number of listeners. By default, Node warns of a leak at more than ten. */
function newHold(): AbortController {
  const hold = new AbortController();
  setMaxListeners(0, hold.signal);
  return hold;
}
