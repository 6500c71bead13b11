import { expect } from "@jest/globals";
import { type BrokenUpstream, startBrokenUpstream } from "../upstream/broken-upstream.js";
import { type Answer, startGateway, type TestGateway } from "./test-gateway.js";

/** A gateway on an upstream that answers as a test says. */
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

/** One operation for each of PIOPIY's calls. */
export const operations = {
  get_sip: '{ sipEndpoint(username: "alice") { username type } }',
  list_sip: "{ sipEndpoints { nodes { username } } }",
  add_sip: 'mutation { createSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
  update_sip: 'mutation { updateSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
  remove_sip: 'mutation { removeSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
};

export const writes = ["add_sip", "update_sip", "remove_sip"] as const;

/** How an operation failed, and how often the upstream was asked. */
export interface Failure {
  readonly code: string | undefined;
  readonly retryable: boolean | undefined;
  readonly attempts: number;
  readonly upstreamCode?: unknown;
  readonly retryAfterMs?: unknown;
}

/** Sends the operation that makes this one call, and tells how it failed. Its error bears the answer's request id. */
export async function fail(
  { gateway, upstream }: Pick<BrokenGateway, "gateway" | "upstream">,
  operation: keyof typeof operations,
): Promise<Failure> {
  const answer: Answer<unknown> = await gateway.ask(operations[operation]);
  const [error, ...more] = answer.errors ?? [];
  expect(more).toEqual([]);
  expect(error?.extensions.requestId).toBe(answer.headers.get("x-request-id"));
  expect(new Set(upstream.calls.map((call) => call.operation))).toEqual(
    new Set(upstream.calls.length > 0 ? [operation] : []),
  );
  const { requestId, ...extensions } = error?.extensions ?? {};
  return { ...extensions, attempts: upstream.calls.length } as Failure;
}
