import { expect } from "@jest/globals";
import { type BrokenUpstream, startBrokenUpstream } from "../upstream/broken-upstream.js";
import { type GraphqlResponse, startGateway, type TestGateway } from "./test-gateway.js";

/** Gateway with an upstream whose responses a test chooses. */
export interface BrokenGateway {
  readonly gateway: TestGateway;
  readonly upstream: BrokenUpstream;
  close(): Promise<void>;
}

export async function startBrokenGateway(
  settings: Readonly<Record<string, string>> = {},
): Promise<BrokenGateway> {
  const upstream = await startBrokenUpstream();
  const gateway = await startGateway({ gateway: { PIOPIY_URL: upstream.url, ...settings } });
  return {
    gateway,
    upstream,
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}

/** One GraphQL operation for each of PIOPIY's operations. */
export const operations = {
  get_sip: '{ sipEndpoint(username: "alice") { username type } }',
  list_sip: "{ sipEndpoints { nodes { username } } }",
  add_sip: 'mutation { createSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
  update_sip:
    'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { userErrors { code } } }',
  remove_sip: 'mutation { removeSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
};

export const writes = ["add_sip", "update_sip", "remove_sip"] as const;

/** Error of an operation, and the number of upstream requests. */
export interface Failure {
  readonly code: string | undefined;
  readonly retryable: boolean | undefined;
  readonly attempts: number;
  readonly upstreamCode?: unknown;
  readonly retryAfterMs?: unknown;
}

/** Sends the GraphQL operation for one of PIOPIY's operations, and returns its error. */
export async function fail(
  { gateway, upstream }: Pick<BrokenGateway, "gateway" | "upstream">,
  operation: keyof typeof operations,
): Promise<Failure> {
  const response: GraphqlResponse<unknown> = await gateway.execute(operations[operation]);
  const [error, ...more] = response.errors ?? [];
  expect(more).toEqual([]);
  expect(error?.extensions.requestId).toBe(response.headers.get("x-request-id"));
  expect(new Set(upstream.requests.map((request) => request.operation))).toEqual(
    new Set(upstream.requests.length > 0 ? [operation] : []),
  );
  const { requestId, ...extensions } = error?.extensions ?? {};
  return { ...extensions, attempts: upstream.requests.length } as Failure;
}
