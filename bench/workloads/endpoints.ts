/** Number of endpoints of the emulated PIOPIY, large enough for every name to be used once. */
export const MANY_ENDPOINTS = 100_000_000;

const HOT_FROM = 50_000_001;

/** Returns the numbers of endpoints. A name that must not be cached is returned only once. */
export class Names {
  #next = 1_000_001;

  /** Returns the first of `count` numbers that were not used before. A page of ten begins with it. */
  fresh(count: number): number {
    const from = this.#next;
    this.#next += Math.ceil(count / 10) * 10;
    return from;
  }

  /** Returns `count` names, the same each time. */
  hot(count: number): string[] {
    return usernames(HOT_FROM, count);
  }

  /** The offset of the hot names in the list. */
  readonly hotOffset = HOT_FROM - 1;
}

export function usernames(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${from + index}`);
}

/** Returns a SIP endpoint of the emulated PIOPIY as a contestant must return it. */
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

/** Text that the response to a query for `user-@@` must contain. */
export const EXPECTED_TEXT = '"username":"user-@@"';

export function endpoints(from: number, count: number): object[] {
  return Array.from({ length: count }, (_, index) => endpoint(from + index));
}
