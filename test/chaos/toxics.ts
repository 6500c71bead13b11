import type { SeededRandom } from "./seeded-random.js";

/** A fault that a proxy can apply to an exchange, which is a request and its reply. */
export type Toxic =
  /** Delays the request, or the reply, by `ms`, plus or minus `jitter`. */
  | { readonly kind: "latency"; readonly on: Direction; readonly ms: number; readonly jitter?: number }
  /** Resets the connection instead of forwarding the request, or the reply. */
  | { readonly kind: "reset"; readonly on: Direction }
  /** Drops the reply, and closes the connection after `ms`. */
  | { readonly kind: "slow-close"; readonly ms: number }
  /** Forwards this many bytes of the request, or of the reply, and then closes the connection. */
  | { readonly kind: "cut"; readonly on: Direction; readonly bytes: number }
  /** Limits the bytes per second. */
  | { readonly kind: "bandwidth"; readonly on: Direction; readonly bytesPerSecond: number }
  /** Forwards nothing in either direction, and leaves the connection open. */
  | { readonly kind: "black-hole" };

export type Direction = "request" | "reply";

/** A toxic, and the share of exchanges, from 0 to 1, that it is applied to. */
export type ToxicShare = readonly [share: number, toxic: Toxic];

/** Chooses the toxic of one exchange; undefined for the exchanges that are left when the shares add up to less than 1. */
export function drawToxic(shares: readonly ToxicShare[], random: SeededRandom): Toxic | undefined {
  let rest = random.next();
  for (const [share, toxic] of shares) {
    rest -= share;
    if (rest < 0) return toxic;
  }
  return undefined;
}

/** Chooses the milliseconds of one delay. */
export function drawDelay({ ms, jitter = 0 }: { ms: number; jitter?: number }, random: SeededRandom): number {
  return Math.max(0, ms + (2 * random.next() - 1) * jitter);
}
