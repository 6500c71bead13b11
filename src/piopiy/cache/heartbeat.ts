import { randomUUID } from "node:crypto";

/**
 * Shows whether a process still hears invalidations: it sends heartbeats over the same path, and trusts the path while it
 * has heard one that it sent at most `trustMs` ago. The clock alone ends the trust, so a process that was suspended does
 * not serve from cache before it has read what arrived meanwhile.
 */
export class Heartbeat {
  readonly #process = randomUUID();
  readonly #trustMs: number;
  readonly #send: (beat: string) => Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #isSending = false;
  /** When the newest heartbeat that came back was sent. */
  #provenAt = Number.NEGATIVE_INFINITY;

  /** @param send passes a heartbeat on; the next one is sent after it has settled, so that they do not pile up */
  constructor(intervalMs: number, trustMs: number, send: (beat: string) => Promise<unknown>) {
    this.#trustMs = trustMs;
    this.#send = send;
    this.#timer = setInterval(() => this.beat(), intervalMs).unref();
  }

  get isFresh(): boolean {
    return performance.now() - this.#provenAt < this.#trustMs;
  }

  /** Sends a heartbeat, unless the last one is still being sent. */
  beat(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    const sent = () => {
      this.#isSending = false;
    };
    this.#send(`${this.#process} ${performance.now()}`).then(sent, sent);
  }

  /** Takes what was heard on the path; heartbeats of other processes prove nothing. */
  hear(beat: string): void {
    const [process, sentAt] = beat.split(" ");
    if (process === this.#process) this.#provenAt = Math.max(this.#provenAt, Number(sentAt));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
