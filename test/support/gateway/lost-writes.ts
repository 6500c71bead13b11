import { alice, type Behaviour, type BrokenReply } from "../upstream/broken-upstream.js";
import type { BrokenGateway } from "./broken-gateway.js";
import type { Answer, TestGateway } from "./test-gateway.js";

/** Each write, with the password that `alice` has. */
export const mutations = {
  add_sip:
    'mutation { it: createSipEndpoint(input: { username: "alice", password: "made-up-1" }) { userErrors { code } } }',
  update_sip:
    'mutation { it: updateSipEndpoint(input: { username: "alice", password: "made-up-1" }) { userErrors { code } } }',
  remove_sip: 'mutation { it: removeSipEndpoint(input: { username: "alice" }) { userErrors { code } } }',
};

export type Write = keyof typeof mutations;

const html = "<h1>Something is wrong</h1>";

/** Ways to lose the answer to a write: it may have been done, or not. */
export const losses: [string, Behaviour][] = [
  ["no answer in time", () => {}],
  ["an answer that stops", (response) => response.writeHead(200).write('{"code":')],
  ["a connection that is cut", (response) => response.destroy()],
  ["half an answer", (response) => response.writeHead(200).write('{"code":', () => response.destroy())],
  ["HTML with HTTP 200", { body: html }],
  ["HTTP 500", { status: 500, body: html }],
  ["HTTP 502 without JSON", { status: 502, body: html }],
  ["HTTP 504", { status: 504, body: html }],
  ["500 in the body", { body: { code: "cmi-500" } }],
  ["a success that says nothing", { body: { code: "cmi-200" } }],
  ["10 MB", { body: " ".repeat(10_000_000) }],
];

export const cut: Behaviour = (response) => response.destroy();
export const silent: Behaviour = () => {};
/** PIOPIY's 400. */
export const refusal: BrokenReply = { body: { code: "cmi-400" } };
/** The endpoint as the write would leave it. */
export const found: BrokenReply = { body: alice };
/** The endpoint with another password. */
export const other: BrokenReply = { body: { ...alice, password: "made-up-0" } };

/** What is found of the endpoint when the write has taken, and when it has not. */
export const traces = {
  add_sip: { taken: found, not: refusal },
  update_sip: { taken: found, not: other },
  remove_sip: { taken: refusal, not: found },
};

/** `done`, or the code of the user error or of the error, of which there is one. */
export function outcomeOf({ data, errors = [] }: Answer<unknown>): string {
  const result = data as { it?: { userErrors: { code: string }[] } } | null;
  const codes = [...(result?.it?.userErrors ?? []), ...errors.map(({ extensions }) => extensions)];
  return codes.map(({ code }) => code).join() || "done";
}

/** Makes a write, which and whose settling the upstream answers like this, and tells its end and the calls. */
export async function write(
  { gateway, upstream }: BrokenGateway,
  operation: Write,
  ...behaviours: Behaviour[]
): Promise<{ outcome: string; calls: string[] }> {
  upstream.answer(...behaviours);
  const outcome = outcomeOf(await gateway.ask(mutations[operation]));
  return { outcome, calls: upstream.calls.map((call) => call.operation) };
}

/** The lines of the audit trail: what was done to which endpoint, and how it ended. */
export function auditOf({ log }: TestGateway): { what: string; username: string; outcome: string }[] {
  return log
    .map((line) => JSON.parse(line))
    .filter(({ name }) => name === "audit")
    .map(({ what, username, outcome }) => ({ what, username, outcome }));
}
