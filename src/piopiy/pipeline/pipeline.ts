import type { Deadline } from "../deadline.js";
import type { PageRange } from "../pagination/join-pages.js";
import type { AnyParameters, Operation } from "../protocol.js";

/** A request to PIOPIY, which passes through the layers. */
export interface UpstreamRequest {
  readonly operation: Operation;
  readonly parameters: AnyParameters;
  /** The subject that is read or changed: `list`, or the `endpointSubject` of an endpoint. */
  readonly subject: string;
  /** Identifies the read. Contains the version that its subject had when the read began. */
  readonly key: string;
  /** For `list_sip`: several pages that are read and cached together. */
  readonly range?: PageRange;
  /** How the cache is used. `bypass` and `refresh` read from PIOPIY. `refresh` does not share a request that has already begun. */
  readonly cache: "use" | "bypass" | "refresh";
  /** How often the same request has been sent before. Left out for the first attempt. */
  readonly resendCount?: number;
  /** The queue in which the request waits. The reads of a reconciliation wait with the writes. */
  readonly priority: "read" | "write";
  readonly deadline: Deadline;
  /** Ends the wait for a lock or a slot. */
  readonly waitSignal: AbortSignal;
  /** Ends an attempt. */
  readonly signal: AbortSignal;
}

/** The result of an upstream request. */
export interface UpstreamResponse<T = unknown> {
  readonly value: T;
  /** When PIOPIY returned the value, by the monotonic clock of this process. */
  readonly readAt: number;
  /** Whether the value comes from the cache. A cached value contains no password. */
  readonly isCached: boolean;
  /** Whether the value is older than `CACHE_TTL_MS`, because PIOPIY is down. */
  readonly isStale: boolean;
}

/** Sends a request. Rejects with a `GatewayError`. */
export type Send = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** One concern of upstream requests: wraps the function that passes a request on to the next layer. */
export type Layer = (next: Send) => Send;

/** Returns the function that passes a request through the layers, from the first to the last, and then sends it. */
export function compose(layers: readonly Layer[], send: Send): Send {
  return layers.reduceRight((next, layer) => layer(next), send);
}

/** Returns the response for a value that PIOPIY has just returned. */
export function received<T>(value: T): UpstreamResponse<T> {
  return { value, readAt: performance.now(), isCached: false, isStale: false };
}
