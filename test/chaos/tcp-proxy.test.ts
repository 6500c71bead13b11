import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.js";
import { type BrokenUpstream, startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";
import type { Toxic } from "./toxics.js";

const SEED = 1;

let upstream: BrokenUpstream;
let proxy: TcpProxy;
let agent: Agent;
beforeEach(async () => {
  upstream = await startBrokenUpstream();
  upstream.respond({ body: "x".repeat(1000) });
  proxy = await startTcpProxy(upstream.url, SEED);
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  await proxy.close();
  await upstream.close();
});

/** Returns the length of the response, or the error code of the request. */
async function send(signal?: AbortSignal): Promise<number | string> {
  try {
    const options = { method: "POST", agent, ...(signal && { signal }) };
    const requested = request(`${proxy.url}get_sip`, options).end("{}");
    const [response] = (await once(requested, "response")) as [IncomingMessage];
    return Buffer.concat(await response.toArray()).length;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("The TCP proxy", () => {
  it("forwards requests and replies, and counts them", async () => {
    expect([await send(), await send()]).toEqual([1000, 1000]);
    expect(upstream.requests).toHaveLength(2);
    expect(proxy.counts).toMatchObject({ connections: 1, exchanges: 2, replies: 2, toxics: {} });
    expect(proxy.counts.bytes.reply).toBeGreaterThan(2000);
  });

  it.each<[Toxic, requests: number, result: unknown]>([
    [{ kind: "reset", on: "request" }, 0, "ECONNRESET"],
    [{ kind: "reset", on: "reply" }, 1, "ECONNRESET"],
    [{ kind: "cut", on: "request", bytes: 20 }, 0, "ECONNRESET"],
    [{ kind: "cut", on: "reply", bytes: 400 }, 1, "ECONNRESET"],
    [{ kind: "slow-close", ms: 20 }, 1, "ECONNRESET"],
    [{ kind: "latency", on: "request", ms: 20, jitter: 10 }, 1, 1000],
    [{ kind: "latency", on: "reply", ms: 20, jitter: 10 }, 1, 1000],
    [{ kind: "bandwidth", on: "reply", bytesPerSecond: 20_000 }, 1, 1000],
  ])("applies a toxic: %j", async (toxic, requests, result) => {
    proxy.setToxics([[1, toxic]]);
    expect(await send()).toBe(result);
    expect(upstream.requests).toHaveLength(requests);
    proxy.setToxics([]);
    expect(await send()).toBe(1000);
  });

  it.each<Toxic>([
    { kind: "black-hole" },
    { kind: "latency", on: "request", ms: 60_000 },
    { kind: "bandwidth", on: "request", bytesPerSecond: 50 },
  ])("does not forward a request whose client has disconnected: %j", async (toxic) => {
    proxy.setToxics([[1, toxic]]);
    const client = new AbortController();
    const response = send(client.signal);
    await until(() => proxy.counts.exchanges === 1);
    client.abort();
    expect(await response).toBe("ABORT_ERR");
    await until(() => proxy.open === 0 && upstream.connections.open === 0);
    expect(upstream.requests).toEqual([]);
  });

  it("chooses a toxic for each exchange, or one for all exchanges of a connection", async () => {
    proxy.setToxics([[0.5, { kind: "slow-close", ms: 0 }]]);
    for (let requested = 0; requested < 20; requested += 1) await send();
    expect(proxy.counts.toxics["slow-close"]).toBeGreaterThan(3);
    expect(proxy.counts.toxics["slow-close"]).toBeLessThan(17);
    proxy.setToxics([[1, { kind: "latency", on: "reply", ms: 1 }]], "connection");
    proxy.resetCounts();
    await send();
    await send();
    expect(proxy.counts.toxics["latency of the reply"] ?? 0).toBe(proxy.counts.connections * 2);
  });
});
