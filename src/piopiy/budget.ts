import { Stop } from "./stop.js";

/** What a read may spend, and for whom. */
export interface ReadBudget {
  /** The names of the clients that the read is for. */
  readonly clients: readonly string[];
  /** Calls the listener with the name of each client that joins later, and returns what ends that. */
  onJoin(listener: (client: string) => void): () => void;
  /** Comes when neither a read nor waiting for a turn is worth its while any longer. */
  readonly forReads: Stop;
  /** Milliseconds left; zero when there are none. */
  readonly timeLeft: number;
}

/**
 * What one GraphQL operation may spend upstream: one span of time for all its calls together, and the
 * patience of its caller. Reads, and writes that still wait, end when either is gone; a write under way ends
 * with the time only, since a caller who has left would never learn what became of it.
 */
export class Budget implements ReadBudget {
  readonly #expiresAt: number;
  /** Comes when neither a read nor waiting for a turn is worth its while any longer. */
  readonly forReads = new Stop();
  /** Comes when the time is spent. */
  readonly forWrites = new Stop();
  readonly #timer: NodeJS.Timeout;
  readonly clients: readonly string[];

  constructor(milliseconds: number, client: string) {
    this.clients = [client];
    this.#expiresAt = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.forWrites.now(true);
      this.forReads.now(true);
    }, milliseconds).unref();
  }

  /** An operation has one client. */
  onJoin(): () => void {
    return () => {};
  }

  get timeLeft(): number {
    return Math.max(0, this.#expiresAt - performance.now());
  }

  /** The caller has hung up. */
  abandon(): void {
    this.forReads.now();
  }

  /** The operation is answered. Reads that are still under way, beside one whose failure was the answer, end. */
  close(): void {
    clearTimeout(this.#timer);
    this.forReads.now();
  }
}
