import { randomUUID } from "node:crypto";

/**
 * Detects whether a process still receives invalidations. A heartbeat is a message that the process sends to itself over the same
 * path. The process trusts the path while it has received a heartbeat that it sent at most `trustMs` ago. The trust depends on
 * the clock, so a process that was suspended serves nothing from cache until it has read the messages that arrived in the
 * meantime.
 */
export class Heartbeat {
  readonly #process = randomUUID();
  readonly #trustMs: number;
  readonly #send: (beat: string) => Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #isSending = false;
  /** When the newest heartbeat that came back was sent. */
  #provenAt = Number.NEGATIVE_INFINITY;

  /**
   * @param send sends a heartbeat; the next one is sent only after the returned promise has settled, so that heartbeats do not
   * accumulate
   */
  constructor(intervalMs: number, trustMs: number, send: (beat: string) => Promise<unknown>) {
    this.#trustMs = trustMs;
    this.#send = send;
    this.#timer = setInterval(() => this.beat(), intervalMs).unref();
  }

  get isFresh(): boolean {
    return performance.now() - this.#provenAt < this.#trustMs;
  }

  /** Sends a heartbeat, unless the previous one is still being sent. */
  beat(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    const sent = () => {
      this.#isSending = false;
    };
    this.#send(`${this.#process} ${performance.now()}`).then(sent, sent);
  }

  /** Handles a heartbeat that has arrived. Heartbeats of other processes are ignored. */
  hear(beat: string): void {
    const [process, sentAt] = beat.split(" ");
    if (process === this.#process) this.#provenAt = Math.max(this.#provenAt, Number(sentAt));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
