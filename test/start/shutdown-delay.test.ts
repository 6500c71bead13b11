import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { until } from "../support/until.js";
import { type BrokenUpstream, send, startBrokenUpstream } from "../support/upstream/broken-upstream.js";

/** Long enough for the requests of the test on a busy machine. */
const DELAY_MS = 10_000;
const write = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';
const closing = { status: "closing", piopiy: "unknown", redis: "off" };

let upstream: BrokenUpstream;
let gateway: BuiltGateway;
const kept = new Agent({ keepAlive: true, maxSockets: 1 });
afterEach(async () => {
  kept.destroy();
  gateway.child.kill("SIGKILL");
  await gateway.end;
  await upstream.close();
});

/** Sends a request on a connection of the agent, or on a new one. Returns the response and its parsed body. */
async function ask(path: string, query?: string, agent: Agent | false = false) {
  const sent = request(`${gateway.origin}${path}`, {
    method: query ? "POST" : "GET",
    headers: { "content-type": "application/json" },
    agent,
  });
  sent.end(query && JSON.stringify({ query }));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const body = Buffer.concat(await response.toArray()).toString();
  const { connection } = response.headers;
  return { status: response.statusCode, connection, body: JSON.parse(body), isKept: sent.reusedSocket };
}

/** Returns whether the gateway refuses connections. */
async function isRefused(): Promise<boolean> {
  const { hostname, port } = new URL(gateway.origin);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    // Node.js may lose a connection that arrives when the workers stop to listen. It gets no response.
    socket.destroy();
  }
}

it.each([
  ["one process", "1"],
  ["workers", "2"],
])("On SIGTERM the gateway reports that it closes, serves for SHUTDOWN_DELAY_MS, and then drains: %s", async (_, workers) => {
  upstream = await startBrokenUpstream();
  const held: (() => void)[] = [];
  upstream.respond((response) => held.push(() => send(response, { body: { code: 200, username: "alice" } })));
  gateway = await startBuiltGateway({
    PORT: "0",
    AUTH: "none",
    WORKERS: workers,
    SHUTDOWN_DELAY_MS: String(DELAY_MS),
    PIOPIY_URL: upstream.url,
    PIOPIY_APP_ID: "1",
    PIOPIY_SECRET: "made-up",
    PIOPIY_TIMEOUT_MS: "60000",
    PIOPIY_DEADLINE_MS: "60000",
  });
  await ask("/health/live", undefined, kept);
  const begun = performance.now();
  gateway.child.kill("SIGTERM");
  await until(async () => (await ask("/health/ready", undefined, kept)).status === 503);
  expect(await ask("/health/ready", undefined, kept)).toEqual({
    status: 503,
    connection: "keep-alive",
    body: closing,
    isKept: true,
  });
  for (const agent of [kept, false] as const) {
    const { status, body } = await ask("/graphql", "{ __typename }", agent);
    expect([status, body.data]).toEqual([200, { __typename: "Query" }]);
  }
  const last = ask("/graphql", write);
  await until(() => held.length === 1);
  await until(isRefused);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(DELAY_MS);
  for (const release of held) release();
  const { body, connection } = await last;
  expect([body.data, connection]).toEqual([{ removeSipEndpoint: { username: "alice" } }, "close"]);
  expect(await gateway.end).toBe(0);
  expect(gateway.output.stderr).toBe("");
});
