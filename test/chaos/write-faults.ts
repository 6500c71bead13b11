import type { SeededRandom } from "./seeded-random.js";
import type { ToxicShare } from "./toxics.js";

/** Toxics of every kind, for 14 of 100 exchanges. Long delays exceed the timeout of an attempt, 250 ms. */
export const everyToxic: readonly ToxicShare[] = [
  [0.01, { kind: "latency", on: "request", ms: 30, jitter: 20 }],
  [0.015, { kind: "latency", on: "request", ms: 600, jitter: 100 }],
  [0.01, { kind: "latency", on: "reply", ms: 30, jitter: 20 }],
  [0.015, { kind: "latency", on: "reply", ms: 300, jitter: 100 }],
  [0.01, { kind: "reset", on: "request" }],
  [0.015, { kind: "reset", on: "reply" }],
  [0.01, { kind: "slow-close", ms: 50 }],
  [0.01, { kind: "cut", on: "request", bytes: 150 }],
  [0.005, { kind: "cut", on: "reply", bytes: 1 }],
  [0.005, { kind: "cut", on: "reply", bytes: 100 }],
  [0.005, { kind: "cut", on: "reply", bytes: 220 }],
  [0.01, { kind: "bandwidth", on: "request", bytesPerSecond: 5000 }],
  [0.01, { kind: "bandwidth", on: "reply", bytesPerSecond: 2000 }],
  [0.01, { kind: "black-hole" }],
];

/** Half of all exchanges lose their request or their reply. */
export const storm: readonly ToxicShare[] = [
  [0.1, { kind: "reset", on: "reply" }],
  [0.1, { kind: "slow-close", ms: 20 }],
  [0.05, { kind: "reset", on: "request" }],
  [0.05, { kind: "cut", on: "reply", bytes: 100 }],
  [0.1, { kind: "latency", on: "request", ms: 600 }],
  [0.05, { kind: "latency", on: "reply", ms: 600 }],
  [0.05, { kind: "black-hole" }],
];

/** Chooses a fault of the emulator for the next request with this username: for this operation or for the `get_sip` after it. */
export function drawEmulatorFault(
  random: SeededRandom,
  operation: string,
  username: string,
): Record<string, unknown> {
  const kind = random.pick(["latency", "reset", "lose-reply", "status", "garbage", "hang"]);
  return {
    kind,
    username,
    operation: random.pick([operation, operation, operation, "get_sip"]),
    times: random.pick([1, 1, 1, 2]),
    // A longer latency is left out: a write that takes effect after the timeout cannot be distinguished from a lost one.
    ...(kind === "latency" && { ms: random.whole(5, 40) }),
    ...(kind === "status" && { status: random.pick([429, 500, 502, 503, 504]) }),
  };
}
