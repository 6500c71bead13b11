import { until } from "../until.js";
import type { BrokenGateway } from "./broken-gateway.js";
import type { GraphqlResponse } from "./test-gateway.js";

/** Returns an operation that reads a number of endpoints. */
export function reads(kind: string, count: number): string {
  const fields = Array.from(
    { length: count },
    (_, index) => `r${index}: sipEndpoint(username: "${kind}-${index}") { username }`,
  );
  return `{ ${fields.join(" ")} }`;
}

/** Sends an operation repeatedly until one causes an upstream request. Returns the responses to all of them. */
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
