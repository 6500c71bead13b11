interface Target {
  readonly url: string;
  /** JSON texts to post, over and over. `@@` in a text becomes a number that is another each time. */
  readonly bodies: readonly string[];
  /** The first of those numbers. */
  readonly from: number;
  /** What each response must contain, with the number of its request for `@@`: shows that it is about the right endpoint. */
  readonly mustContain?: string;
}

/** Work of the load generator. */
export type Job = Target &
  (
    | {
        /** Each connection sends again as soon as it has its response. Responses in the warm-up do not count. */
        readonly kind: "closed";
        readonly connections: number;
        readonly warmupMs: number;
        readonly ms: number;
      }
    | {
        /** A constant rate, whether responses come or not. */
        readonly kind: "open";
        readonly perSecond: number;
        readonly ms: number;
      }
    | {
        /** So many at once, each on a connection that is open already. */
        readonly kind: "burst";
        readonly connections: number;
      }
    | {
        /** Each body once, one after another on one connection. */
        readonly kind: "sequence";
      }
  );

export interface LoadResult {
  readonly responses: number;
  /** Responses with another status than 200, with GraphQL errors, or without what they must contain. */
  readonly invalid: number;
  /** The first invalid response. */
  readonly problem?: string;
  /** The duration of what counts. */
  readonly ms: number;
  /** Milliseconds from a request to its response. */
  readonly p50: number;
  readonly p99: number;
}
