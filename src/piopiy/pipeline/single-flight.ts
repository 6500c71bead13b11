import { createController, type Deadline, onAbort, type UpstreamUsage } from "../deadline.js";
import { UpstreamError } from "../upstream-error.js";
import type { Layer, UpstreamResponse } from "./pipeline.js";

/**
 * Shares one request among all clients that send the same read at the same time. Each client waits until its own deadline. The
 * request continues while a client waits. A failure is returned only to the clients that waited; a later read sends a new
 * request. When another client starts to wait, the request is also queued for this client, so that it never waits longer than
 * without sharing.
 */
export function singleFlight(): Layer {
  const inFlight = new Map<string, SharedRequest>();
  return (next) => (request) => {
    if (request.cache === "refresh") return next(request);
    const key = `${request.cache} ${request.key}`;
    const current = inFlight.get(key);
    if (current) return current.join(request.deadline);
    const shared = new SharedRequest(
      request.deadline.usage,
      (deadline) => next({ ...request, deadline, signal: deadline.signal, waitSignal: deadline.signal }),
      () => {
        if (inFlight.get(key) === shared) inFlight.delete(key);
      },
    );
    inFlight.set(key, shared);
    return shared.join(request.deadline);
  };
}

/** A shared request, and the common deadline of all clients that wait for it. */
class SharedRequest implements Deadline {
  readonly usage: UpstreamUsage;
  readonly #send: (deadline: Deadline) => Promise<UpstreamResponse>;
  readonly #end: () => void;
  readonly #waiting = new Set<Deadline>();
  readonly #listeners = new Set<(client: string) => void>();
  readonly #left = createController();
  #response: Promise<UpstreamResponse> | undefined;

  /** @param end is called when no further client may share the request */
  constructor(
    usage: UpstreamUsage,
    send: (deadline: Deadline) => Promise<UpstreamResponse>,
    end: () => void,
  ) {
    this.usage = usage;
    this.#send = send;
    this.#end = end;
  }

  get clients(): string[] {
    return [...this.#waiting].flatMap(({ clients }) => clients);
  }

  onJoin(listener: (client: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Aborts when no client waits any more. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  get msLeft(): number {
    return Math.max(0, ...[...this.#waiting].map(({ msLeft }) => msLeft));
  }

  join(deadline: Deadline): Promise<UpstreamResponse> {
    this.#waiting.add(deadline);
    for (const listener of this.#listeners) deadline.clients.forEach(listener);
    this.#response ??= this.#send(this).finally(this.#end);
    const response = this.#response;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(deadline);
        if (this.#waiting.size > 0) return reject(tooSlow());
        // The last client receives the error of the request itself.
        this.#end();
        this.#left.abort(deadline.signal.reason);
      };
      const stay = onAbort(deadline.signal, leave);
      response.finally(stay).then(resolve, reject);
    });
  }
}

function tooSlow(): UpstreamError {
  return new UpstreamError(
    "local",
    "UPSTREAM_TIMEOUT",
    "PIOPIY did not respond before the deadline of this operation (PIOPIY_DEADLINE_MS). Try again later.",
  );
}
