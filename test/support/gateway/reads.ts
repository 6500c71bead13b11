import { until } from "../until.js";
import type { BrokenGateway } from "./broken-gateway.js";
import type { GraphqlResponse } from "./test-gateway.js";

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
): Promise<Promise<GraphqlResponse<unknown>>[]> {
  const responses: Promise<GraphqlResponse<unknown>>[] = [];
  await until(() => {
    if (upstream.requests.length > 0) return true;
    responses.push(gateway.execute(query));
    return false;
  });
  return responses;
}
