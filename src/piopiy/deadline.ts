import { setMaxListeners } from "node:events";

/** The reasons of the signals. They are made once, since each new one would record a stack. */
const EXPIRED = new DOMException("The deadline has passed.", "TimeoutError");
const ENDED = new DOMException("Nobody waits for the response.", "AbortError");

/** How long upstream requests may take, and for which clients they are sent. */
export interface Deadline {
  /** The names of the clients that wait. */
  readonly clients: readonly string[];
  /** Calls the listener with the name of each client that joins later. Returns a function that ends this. */
  onJoin(listener: (client: string) => void): () => void;
  /** Aborts when the time is spent, or nobody waits any more. */
  readonly signal: AbortSignal;
  /** Milliseconds left; 0 when there are none. */
  readonly msLeft: number;
}

/**
 * The deadline of one GraphQL operation, for all its upstream requests together. Reads, and writes that still wait, end with it or
 * when the client disconnects. A write in progress ends with the time only: a client that has left would never learn its outcome.
 */
export class OperationDeadline implements Deadline {
  readonly clients: readonly string[];
  readonly #expiresAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #ended = createController();
  readonly #expired = createController();

  constructor(milliseconds: number, client: string) {
    this.clients = [client];
    this.#expiresAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#expired.abort(EXPIRED);
      this.#ended.abort(EXPIRED);
    }, milliseconds).unref();
  }

  /** An operation has one client. */
  onJoin(): () => void {
    return () => {};
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Aborts when the time is spent. */
  get writeSignal(): AbortSignal {
    return this.#expired.signal;
  }

  get msLeft(): number {
    return Math.max(0, this.#expiresAt - performance.now());
  }

  /** Aborts reads and waiting writes: the client has disconnected. */
  abort(): void {
    this.#ended.abort(ENDED);
  }

  /** Ends the operation, and aborts the reads beside one whose failure was the response. */
  close(): void {
    clearTimeout(this.#timer);
    this.#ended.abort(ENDED);
  }
}

/** Returns a controller whose signal any number of upstream requests may listen to. */
export function createController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Returns whether a signal has aborted because the time was spent. */
export function hasExpired({ reason }: AbortSignal): boolean {
  return reason === EXPIRED;
}

/** Calls the listener when the signal aborts, at once if it has. Returns a function that ends this. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
