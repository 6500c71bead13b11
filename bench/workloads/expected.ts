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
