/** How many endpoints the emulated PIOPIY holds while names must not run out. */
export const MANY_ENDPOINTS = 100_000_000;

const HOT_FROM = 50_000_001;

/** Hands out endpoints by their number, so that nothing is asked twice that must be asked once. */
export class Names {
  #next = 1_000_001;

  /** The first of so many that were not handed out before; a page of ten begins with it. */
  fresh(count: number): number {
    const from = this.#next;
    this.#next += Math.ceil(count / 10) * 10;
    return from;
  }

  /** So many that are always the same. */
  hot(count: number): string[] {
    return usernames(HOT_FROM, count);
  }

  /** Where in the list the hot ones begin, in rows to pass over. */
  readonly hotOffset = HOT_FROM - 1;
  readonly hotFrom = HOT_FROM;
}

export function usernames(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${from + index}`);
}

/** The SIP endpoints that the emulated PIOPIY holds, as a contestant is to give them back. */
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

/** What each answer has in it to a question about another endpoint each time. */
export const HOLDS = '"username":"user-@@"';

export function endpoints(from: number, count: number): object[] {
  return Array.from({ length: count }, (_, index) => endpoint(from + index));
}
