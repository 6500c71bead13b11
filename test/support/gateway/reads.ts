import { until } from "../until.js";
import type { BrokenGateway } from "./broken-gateway.js";
import type { Answer } from "./test-gateway.js";

/** One operation that reads so many endpoints. */
export function reads(kind: string, count: number): string {
  const fields = Array.from(
    { length: count },
    (_, index) => `r${index}: sipEndpoint(username: "${kind}-${index}") { username }`,
  );
  return `{ ${fields.join(" ")} }`;
}

/** Asks again and again until a call gets through to the upstream, and hands over all that was asked. */
export async function probe(
  { gateway, upstream }: BrokenGateway,
  query: string,
): Promise<Promise<Answer<unknown>>[]> {
  const answers: Promise<Answer<unknown>>[] = [];
  await until(() => {
    if (upstream.calls.length > 0) return true;
    answers.push(gateway.ask(query));
    return false;
  });
  return answers;
}
