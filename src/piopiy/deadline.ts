import { setMaxListeners } from "node:events";
import { ROOT_CONTEXT, type Context as TraceContext } from "@opentelemetry/api";

/** The reasons of aborted signals. They are created only once, since each new exception would record a stack trace. */
const EXPIRED = new DOMException("The deadline has passed.", "TimeoutError");
const ENDED = new DOMException("No client waits for the response.", "AbortError");

/** The upstream requests of one GraphQL operation, for its log entry and its trace. */
export interface UpstreamUsage {
  readonly requestId: string;
  /** The context of the span of the operation. */
  readonly trace: TraceContext;
  /** The number of attempts. */
  requests: number;
  /** The sum of the durations of all attempts, in milliseconds. Attempts may overlap. */
  ms: number;
  /** The number of attempts that repeated an earlier one. */
  retries: number;
}

/** The time left for upstream requests, and the clients for which they are sent. */
export interface Deadline {
  /** The operation that sends the requests. Of several operations that share a request, the first one. */
  readonly usage: UpstreamUsage;
  /** The names of the clients that wait for the response. */
  readonly clients: readonly string[];
  /** Calls the listener with the name of each client that starts to wait later. Returns a function that removes the listener. */
  onJoin(listener: (client: string) => void): () => void;
  /** Aborts when the deadline has passed or no client waits any more. */
  readonly signal: AbortSignal;
  /** Milliseconds left, 0 or more. */
  readonly msLeft: number;
}

/**
 * The deadline that all upstream requests of one GraphQL operation share. Reads and queued writes are aborted when the deadline
 * passes or the client disconnects. A write in progress is aborted only when the deadline passes, since an abort makes its
 * outcome unknown.
 */
export class OperationDeadline implements Deadline {
  readonly usage: UpstreamUsage;
  readonly clients: readonly string[];
  #expiresAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = createController();
  #expired = createController();

  constructor(milliseconds: number, client: string, requestId: string, trace = ROOT_CONTEXT) {
    this.usage = { requestId, trace, requests: 0, ms: 0, retries: 0 };
    this.clients = [client];
    this.#start(milliseconds);
  }

  /** Adds no listener: an operation has only one client. */
  onJoin(): () => void {
    return () => {};
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Aborts when the deadline has passed. */
  get writeSignal(): AbortSignal {
    return this.#expired.signal;
  }

  get msLeft(): number {
    return Math.max(0, this.#expiresAt - performance.now());
  }

  /**
   * Ensures that at least this time is left, even if the deadline has passed already. Has no effect after the client has
   * disconnected.
   */
  extend(milliseconds: number): void {
    const hasPassed = hasExpired(this.signal);
    if (this.msLeft >= milliseconds || (this.signal.aborted && !hasPassed)) return;
    if (hasPassed) {
      this.#ended = createController();
      this.#expired = createController();
    }
    clearTimeout(this.#timer);
    this.#start(milliseconds);
  }

  /** Aborts reads and queued writes, because the client has disconnected. */
  abort(): void {
    this.#ended.abort(ENDED);
  }

  /** Ends the operation. Aborts the reads that are still in progress, such as after the failure of another read. */
  close(): void {
    clearTimeout(this.#timer);
    this.#ended.abort(ENDED);
  }

  #start(milliseconds: number): void {
    this.#expiresAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#expired.abort(EXPIRED);
      this.#ended.abort(EXPIRED);
    }, milliseconds).unref();
  }
}

/** Returns a controller whose signal any number of upstream requests may listen to. */
export function createController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Returns whether a signal has aborted because the deadline has passed. */
export function hasExpired({ reason }: AbortSignal): boolean {
  return reason === EXPIRED;
}

/** Calls the listener when the signal aborts, or immediately if it has aborted. Returns a function that removes the listener. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
