import { alice, type Responder, type UpstreamResponse } from "../upstream/broken-upstream.js";
import type { BrokenGateway } from "./broken-gateway.js";
import type { GraphqlResponse, TestGateway } from "./test-gateway.js";

/** A mutation for each write of PIOPIY, with the password of `alice`. */
export const mutations = {
  add_sip:
    'mutation { it: createSipEndpoint(input: { username: "alice", password: "made-up-1" }) { userErrors { code } } }',
  update_sip:
    'mutation { it: updateSipEndpoint(input: { username: "alice", password: "made-up-1" }) { userErrors { code } } }',
  remove_sip: 'mutation { it: removeSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
};

export type Write = keyof typeof mutations;

export const cut: Responder = (response) => response.destroy();
export const silent: Responder = () => {};
export const stalled: Responder = (response) => response.writeHead(200).write('{"code":');

const html = "<h1>Something is wrong</h1>";

/** Ways to lose the response to a write. The write may have taken effect or not. */
export const losses: [string, Responder][] = [
  ["no response in time", silent],
  ["a response that stalls", stalled],
  ["a connection that is cut", (response) => response.destroy()],
  ["half a response", (response) => response.writeHead(200).write('{"code":', () => response.destroy())],
  ["HTML with HTTP 200", { body: html }],
  ["HTTP 500", { status: 500, body: html }],
  ["HTTP 502 without JSON", { status: 502, body: html }],
  ["HTTP 504", { status: 504, body: html }],
  ["500 in the body", { body: { code: "cmi-500" } }],
  ["a success without data", { body: { code: "cmi-200" } }],
  ["10 MB", { body: " ".repeat(10_000_000) }],
];

/** PIOPIY's code 400: the username exists, or does not exist. */
export const refusal: UpstreamResponse = { body: { code: "cmi-400" } };
/** The endpoint after the write. */
export const found: UpstreamResponse = { body: alice };
/** The endpoint with another password. */
export const other: UpstreamResponse = { body: { ...alice, password: "made-up-0" } };

/** Responses of `get_sip` when the write has taken effect and when it has not. */
export const traces = {
  add_sip: { taken: found, not: refusal },
  update_sip: { taken: found, not: other },
  remove_sip: { taken: refusal, not: found },
};

/** Returns the code of the user error or GraphQL error, or `done` if there is none. */
export function outcomeOf({ data, errors = [] }: GraphqlResponse<unknown>): string {
  const result = data as { it?: { userErrors: { code: string }[] } } | null;
  const codes = [...(result?.it?.userErrors ?? []), ...errors.map(({ extensions }) => extensions)];
  return codes.map(({ code }) => code).join() || "done";
}

/** Sends a mutation. The upstream responds to the write and to its reconciliation like this. Returns the outcome and the upstream requests. */
export async function write(
  { gateway, upstream }: BrokenGateway,
  operation: Write,
  ...responders: Responder[]
): Promise<{ outcome: string; requests: string[] }> {
  upstream.respond(...responders);
  const outcome = outcomeOf(await gateway.execute(mutations[operation]));
  return { outcome, requests: upstream.requests.map((request) => request.operation) };
}

/** Returns the entries of the audit log: operation, username and outcome. */
export function auditOf({ log }: TestGateway): { what: string; username: string; outcome: string }[] {
  return log
    .map((line) => JSON.parse(line))
    .filter(({ name }) => name === "audit")
    .map(({ what, username, outcome }) => ({ what, username, outcome }));
}
