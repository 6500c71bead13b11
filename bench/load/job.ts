interface Target {
  readonly url: string;
  /** JSON texts to post, over and over. `@@` in a text becomes a number that is another each time. */
  readonly bodies: readonly string[];
  /** The first of those numbers. */
  readonly from: number;
  /** What each answer must hold, `@@` being the number of its request: to see that it is about what was asked. */
  readonly holds?: string;
}

/** What the process that makes the load can be asked for. */
export type Job = Target &
  (
    | {
        /** Each connection asks again as soon as it has its answer. What is answered in the warm-up does not count. */
        readonly kind: "closed";
        readonly connections: number;
        readonly warmupMs: number;
        readonly ms: number;
      }
    | {
        /** A constant rate, whether answers come or not. */
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
  readonly answers: number;
  /** Answers of another status than 200, with GraphQL errors in them, or without what they must hold. */
  readonly wrong: number;
  /** The first wrong answer, or what broke a connection. */
  readonly problem?: string;
  /** How long the answers took to come that count. */
  readonly ms: number;
  /** Milliseconds from a request to its answer. */
  readonly p50: number;
  readonly p99: number;
}
