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
  upstream.answer({ body: "x".repeat(1000) });
  proxy = await startTcpProxy(upstream.url, SEED);
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  await proxy.close();
  await upstream.close();
});

/** The length of the answer, or how the request failed. */
async function ask(signal?: AbortSignal): Promise<number | string> {
  try {
    const options = { method: "POST", agent, ...(signal && { signal }) };
    const asked = request(`${proxy.url}get_sip`, options).end("{}");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return Buffer.concat(await response.toArray()).length;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("The TCP proxy", () => {
  it("passes requests and replies on, and counts them", async () => {
    expect([await ask(), await ask()]).toEqual([1000, 1000]);
    expect(upstream.calls).toHaveLength(2);
    expect(proxy.counts).toMatchObject({ connections: 1, exchanges: 2, replies: 2, toxics: {} });
    expect(proxy.counts.bytes.reply).toBeGreaterThan(2000);
  });

  it.each<[Toxic, calls: number, result: unknown]>([
    [{ kind: "reset", on: "request" }, 0, "ECONNRESET"],
    [{ kind: "reset", on: "reply" }, 1, "ECONNRESET"],
    [{ kind: "cut", on: "request", bytes: 20 }, 0, "ECONNRESET"],
    [{ kind: "cut", on: "reply", bytes: 400 }, 1, "ECONNRESET"],
    [{ kind: "slow-close", ms: 20 }, 1, "ECONNRESET"],
    [{ kind: "latency", on: "request", ms: 20, jitter: 10 }, 1, 1000],
    [{ kind: "latency", on: "reply", ms: 20, jitter: 10 }, 1, 1000],
    [{ kind: "bandwidth", on: "reply", bytesPerSecond: 20_000 }, 1, 1000],
  ])("does what its toxic says: %j", async (toxic, calls, result) => {
    proxy.harm([[1, toxic]]);
    expect(await ask()).toBe(result);
    expect(upstream.calls).toHaveLength(calls);
    proxy.harm([]);
    expect(await ask()).toBe(1000);
  });

  it.each<Toxic>([
    { kind: "black-hole" },
    { kind: "latency", on: "request", ms: 60_000 },
    { kind: "bandwidth", on: "request", bytesPerSecond: 50 },
  ])("never passes on a request whose client has left: %j", async (toxic) => {
    proxy.harm([[1, toxic]]);
    const caller = new AbortController();
    const answer = ask(caller.signal);
    await until(() => proxy.counts.exchanges === 1);
    caller.abort();
    expect(await answer).toBe("ABORT_ERR");
    await until(() => proxy.open === 0 && upstream.connections.open === 0);
    expect(upstream.calls).toEqual([]);
  });

  it("draws for each exchange, or once for all of a connection", async () => {
    proxy.harm([[0.5, { kind: "slow-close", ms: 0 }]]);
    for (let asked = 0; asked < 20; asked += 1) await ask();
    expect(proxy.counts.toxics["slow-close"]).toBeGreaterThan(3);
    expect(proxy.counts.toxics["slow-close"]).toBeLessThan(17);
    proxy.harm([[1, { kind: "latency", on: "reply", ms: 1 }]], "connection");
    proxy.forget();
    await ask();
    await ask();
    expect(proxy.counts.toxics["latency of the reply"] ?? 0).toBe(proxy.counts.connections * 2);
  });
});
