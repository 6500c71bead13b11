import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.js";
import { type ProxiedGateway, startProxiedGateway } from "./proxied-gateway.js";
import { NAMES_EACH, type ReadingClients, startReading } from "./reading-clients.js";
import { isLong, Report } from "./report.js";
import type { TcpProxy } from "./tcp-proxy.js";

const SEED = 20_260_703;
const CLIENTS = 20;
const IN_FLIGHT = 8;
/** Some of these take longer than the timeout of an attempt, the fastest less than half of it. */
const SLOW = { kind: "latency", on: "reply", ms: 800, jitter: 320 } as const;
const WINDOW_MS = isLong ? 15_000 : 1200;
/** How many requests may wait for each slot: see src/piopiy/client.ts. */
const WAITING_FOR_EACH = 50;
const settings = {
  PIOPIY_TIMEOUT_MS: "1000",
  PIOPIY_DEADLINE_MS: "5000",
  PIOPIY_MAX_CONCURRENCY: String(IN_FLIGHT),
};

const report = new Report(
  "c",
  `seed ${SEED}, ${CLIENTS} clients, responses after ${SLOW.ms} ± ${SLOW.jitter} ms, intervals of ${WINDOW_MS} ms, ${JSON.stringify(settings)}`,
);
let proxied: ProxiedGateway | undefined;
let clients: ReadingClients | undefined;
afterEach(async () => {
  proxied?.proxy.setToxics([]);
  await clients?.stop();
  await proxied?.close();
});
afterAll(() => report.write());

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapMegabytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

/** Counts open sockets. Returns a function that stops counting and returns the most that were open three times in a row. */
function watchSockets(proxy: TcpProxy): () => number {
  // A closed socket and its successor may both be counted for a moment.
  const last: number[] = [];
  let peak = 0;
  const timer = setInterval(() => {
    last.push(proxy.open);
    if (last.length > 3) last.shift();
    peak = Math.max(peak, last.length === 3 ? Math.min(...last) : 0);
  }, 5);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

describe("A slow upstream", () => {
  it("under a steady load increases neither the heap nor the number of open sockets", async () => {
    proxied = await startProxiedGateway(SEED, settings);
    await proxied.gateway.reset({ count: CLIENTS * NAMES_EACH });
    proxied.proxy.setToxics([[1, SLOW]]);
    clients = startReading(proxied.gateway, CLIENTS, 1);
    const { reads } = clients;
    await until(() => reads.some(({ ending }) => ending === "ok"));
    const heaps: number[] = [];
    const sockets = watchSockets(proxied.proxy);
    for (let window = 0; window < 4; window += 1) {
      await pause(WINDOW_MS);
      heaps.push(heapMegabytes());
    }
    const [, early = 0, , late = 0] = heaps;
    const peak = sockets();
    const { exchanges } = proxied.proxy.counts;
    const responded = reads.filter(({ ending }) => ending === "ok").length;
    const timedOut = reads.filter(({ ending }) => ending === "UPSTREAM_TIMEOUT").length;
    report.goal(
      `sockets to a slow PIOPIY: at most ${IN_FLIGHT}`,
      `${peak} in ${exchanges} upstream requests`,
      peak <= IN_FLIGHT,
    );
    report.goal(
      "heap under a steady load on a slow PIOPIY: constant (the last interval within 10 % of the second)",
      `${heaps.map((heap) => heap.toFixed(1)).join(", ")} MB; ${responded} responses, ${timedOut} timeouts`,
      late < early * 1.1,
    );
    expect(responded).toBeGreaterThan(0);
    expect(peak).toBeLessThanOrEqual(IN_FLIGHT);
    expect(late).toBeLessThan(early * (isLong ? 1.1 : 1.5));
  });

  it("has a queue of limited length: further requests are rejected before any other response", async () => {
    const more = isLong ? 400 : 50;
    const inFlight = 2;
    proxied = await startProxiedGateway(SEED, {
      ...settings,
      PIOPIY_TIMEOUT_MS: "120000",
      PIOPIY_DEADLINE_MS: "120000",
      PIOPIY_MAX_CONCURRENCY: String(inFlight),
    });
    proxied.proxy.setToxics([[1, { kind: "black-hole" }]]);
    const room = inFlight * (1 + WAITING_FOR_EACH);
    const refusals: string[] = [];
    const others: string[] = [];
    const requested = Array.from({ length: room + more }, async (_, number) => {
      const response = await proxied?.gateway.execute(`{ sipEndpoint(username: "u${number}") { username } }`);
      const [error] = response?.errors ?? [];
      if (error?.message.startsWith("Too many requests")) refusals.push(error.extensions.code);
      else others.push(error?.extensions.code ?? "");
    });
    await until(() => refusals.length === more);
    expect(others).toEqual([]);
    expect(proxied.proxy.counts).toMatchObject({ exchanges: inFlight, replies: 0 });
    expect(new Set(refusals)).toEqual(new Set(["UPSTREAM_UNAVAILABLE"]));
    await proxied.proxy.close();
    await Promise.all(requested);
    expect(refusals).toHaveLength(more);
    expect(others).toEqual(Array(room).fill("UPSTREAM_UNAVAILABLE"));
    report.goal(
      "requests beyond the limit of the queue: rejected before any other response",
      `${more} of ${more}`,
      true,
    );
  });
});
