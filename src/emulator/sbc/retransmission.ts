import type { IncomingRequestMessage, IncomingResponseMessage } from "sip.js/lib/core/index.js";

const T1_MS = 500;
const T2_MS = 4000;
/** Milliseconds after which a transaction has failed. */
const TIMEOUT_MS = 64 * T1_MS;
/** Messages of one flow that are sent repeatedly at the same time. */
const MAX_REPEATED = 1000;

interface Repeated {
  readonly text: string;
  readonly startedAt: number;
  /** Milliseconds to the next time. */
  interval: number;
  maxInterval: number;
  timer: NodeJS.Timeout;
}

/**
 * Sends messages again over UDP, where packets get lost: requests until the response, and the failure of an INVITE until the ACK
 * (timers A, E and G of RFC 3261, 17). sip.js has no such timers. It does repeat a 200 for an INVITE.
 */
export class Retransmission {
  readonly #repeated = new Map<string, Repeated>();

  /** @param hasTransaction - Whether a received request with this branch has a transaction. */
  constructor(
    private readonly send: (message: string) => void,
    private readonly hasTransaction: (branch: string) => boolean,
  ) {}

  /** Starts to repeat a message that has been sent, if its transaction requires it. */
  sent(text: string): void {
    const key = keyOfSent(text);
    const [kind, branch = ""] = key?.split(" ") ?? [];
    // A response without a transaction is sent again only if the request is repeated.
    if (kind === "response" && !this.hasTransaction(branch)) return;
    if (key === undefined || this.#repeated.has(key) || this.#repeated.size >= MAX_REPEATED) return;
    const maxInterval = key.startsWith("INVITE ") ? TIMEOUT_MS : T2_MS;
    const repeated = { text, startedAt: performance.now(), interval: T1_MS, maxInterval };
    this.#repeated.set(key, { ...repeated, timer: setTimeout(() => this.#repeat(key), T1_MS) });
  }

  /** Stops repeating what a received message confirms. */
  received(message: IncomingRequestMessage | IncomingResponseMessage): void {
    const { method, viaBranch } = message;
    if (!("statusCode" in message)) {
      if (method === "ACK") this.#stop(`response ${viaBranch}`);
      return;
    }
    const key = `${method} ${viaBranch}`;
    const repeated = this.#repeated.get(key);
    const isProvisional = (message.statusCode ?? 0) < 200;
    // RFC 3261, 17.1.2.2: a request other than INVITE is repeated until the final response.
    if (repeated && isProvisional && method !== "INVITE") repeated.interval = T2_MS;
    else this.#stop(key);
  }

  close(): void {
    for (const key of [...this.#repeated.keys()]) this.#stop(key);
  }

  #repeat(key: string): void {
    const repeated = this.#repeated.get(key);
    if (!repeated) return;
    if (performance.now() - repeated.startedAt >= TIMEOUT_MS) {
      this.#stop(key);
      return;
    }
    this.send(repeated.text);
    repeated.interval = Math.min(2 * repeated.interval, repeated.maxInterval);
    repeated.timer = setTimeout(() => this.#repeat(key), repeated.interval);
  }

  #stop(key: string): void {
    clearTimeout(this.#repeated.get(key)?.timer);
    this.#repeated.delete(key);
  }
}

/** Returns the method and the branch of a request, `response` and the branch of a failed INVITE, and undefined for all others. */
function keyOfSent(text: string): string | undefined {
  const headers = text.slice(0, text.indexOf("\r\n\r\n"));
  const branch = /^Via:[^\r]*?;branch=([^;,\s]+)/im.exec(headers)?.[1];
  if (branch === undefined) return undefined;
  const [, status] = /^SIP\/2\.0 (\d{3})/.exec(headers) ?? [];
  if (status !== undefined) {
    return Number(status) >= 300 && /^CSeq: \d+ INVITE$/im.test(headers) ? `response ${branch}` : undefined;
  }
  const method = headers.slice(0, headers.indexOf(" "));
  return method === "ACK" ? undefined : `${method} ${branch}`;
}
