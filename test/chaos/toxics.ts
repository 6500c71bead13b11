import type { SeededRandom } from "./seeded-random.js";

/** What a proxy may do to an exchange: to a request and its reply. */
export type Toxic =
  /** Holds the request, or the reply after the work was done, back for `ms`, more or less `jitter`. */
  | { readonly kind: "latency"; readonly on: Direction; readonly ms: number; readonly jitter?: number }
  /** Resets the connection instead of passing the request, or the reply, on. */
  | { readonly kind: "reset"; readonly on: Direction }
  /** Swallows the reply, and ends the connection in order after `ms`. */
  | { readonly kind: "slow-close"; readonly ms: number }
  /** Passes so many bytes of the request, or of the reply, on and then cuts the connection. */
  | { readonly kind: "cut"; readonly on: Direction; readonly bytes: number }
  /** Passes so many bytes a second on. */
  | { readonly kind: "bandwidth"; readonly on: Direction; readonly bytesPerSecond: number }
  /** Passes nothing on, neither way, and leaves the connection open. */
  | { readonly kind: "black-hole" };

export type Direction = "request" | "reply";

/** A toxic, and the share of exchanges, 0 to 1, that it befalls. */
export type ToxicShare = readonly [share: number, toxic: Toxic];

/** Draws the toxic of one exchange; most often there is none, unless the shares add up to 1. */
export function drawToxic(shares: readonly ToxicShare[], random: SeededRandom): Toxic | undefined {
  let rest = random.next();
  for (const [share, toxic] of shares) {
    rest -= share;
    if (rest < 0) return toxic;
  }
  return undefined;
}

/** How long a latency lasts this time. */
export function drawDelay({ ms, jitter = 0 }: { ms: number; jitter?: number }, random: SeededRandom): number {
  return Math.max(0, ms + (2 * random.next() - 1) * jitter);
}
