interface Target {
  readonly url: string;
  /** JSON texts to send, in turn. `@@` in a text is replaced by the next number. */
  readonly bodies: readonly string[];
  /** The first of these numbers. */
  readonly from: number;
  /** Text that each response must contain, with the number of its request for `@@`. It proves that the endpoint is the requested one. */
  readonly mustContain?: string;
}

/** A job of the load generator. */
export type Job = Target &
  (
    | {
        /** Each connection sends its next request when it has received a response. The warm-up is not measured. */
        readonly kind: "closed";
        readonly connections: number;
        readonly warmupMs: number;
        readonly ms: number;
      }
    | {
        /** Requests are sent at a constant rate, independent of the responses. */
        readonly kind: "open";
        readonly perSecond: number;
        readonly ms: number;
      }
    | {
        /** All requests are sent together, each on a connection that is already open. */
        readonly kind: "burst";
        readonly connections: number;
      }
    | {
        /** Each body is sent once, one after another on one connection. */
        readonly kind: "sequence";
      }
  );

export interface LoadResult {
  readonly responses: number;
  /** Number of responses with another status than 200, with GraphQL errors, or without `mustContain`. */
  readonly invalid: number;
  /** The first invalid response. */
  readonly problem?: string;
  /** Milliseconds of the measurement, without the warm-up. */
  readonly ms: number;
  /** Milliseconds from a request to its response, as percentiles. */
  readonly p50: number;
  readonly p99: number;
}
