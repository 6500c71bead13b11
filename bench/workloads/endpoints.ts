/** How many endpoints the emulated PIOPIY has while names must not run out. */
export const MANY_ENDPOINTS = 100_000_000;

const HOT_FROM = 50_000_001;

/** Hands out endpoints by their number, so that a name that must not be cached is used once. */
export class Names {
  #next = 1_000_001;

  /** Returns the first of so many that were not handed out before; a page of ten begins with it. */
  fresh(count: number): number {
    const from = this.#next;
    this.#next += Math.ceil(count / 10) * 10;
    return from;
  }

  /** Returns so many that are always the same. */
  hot(count: number): string[] {
    return usernames(HOT_FROM, count);
  }

  /** The offset of the hot ones in the list. */
  readonly hotOffset = HOT_FROM - 1;
}

export function usernames(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${from + index}`);
}

/** Returns a SIP endpoint of the emulated PIOPIY as a contestant is to return it. */
export function endpoint(number: number): object {
  const username = `user-${number}`;
  return {
    username,
    connectUrl: "sbc.bench.example",
    sipUri: `sip:${username}@sbc.bench.example`,
    audio: true,
    video: true,
    type: "SIP",
  };
}

/** What the response to a query for `user-@@` has in it. */
export const EXPECTED_TEXT = '"username":"user-@@"';

export function endpoints(from: number, count: number): object[] {
  return Array.from({ length: count }, (_, index) => endpoint(from + index));
}
