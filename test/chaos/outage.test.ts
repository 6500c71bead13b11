import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.js";
import { type ProxiedGateway, startProxiedGateway } from "./proxied-gateway.js";
import { NAMES_EACH, type ReadingClients, startReading } from "./reading-clients.js";
import { isLong, quantile, Report } from "./report.js";
import type { Toxic } from "./toxics.js";

const SEED = 20_260_702;
const CLIENTS = 20;
/** Shorter than the reset time of the circuit breaker; breaker-overlap.test.ts tests the other case. The short run is for busy machines. */
const TIMEOUT_MS = isLong ? 200 : 2000;
const RESET_MS = isLong ? 300 : 3000;
const OUTAGE_MS = isLong ? 10_000 : 1000;
const CALM_MS = isLong ? 5000 : 400;
const REST_MS = 20;
const settings = { PIOPIY_TIMEOUT_MS: String(TIMEOUT_MS), BREAKER_RESET_MS: String(RESET_MS) };

const report = new Report(
  "b",
  `seed ${SEED}, ${CLIENTS} clients with a pause of ${REST_MS} ms after each read, outage of ${OUTAGE_MS} ms, ${JSON.stringify(settings)}; an attempt is shorter than the reset time`,
);
let proxied: ProxiedGateway;
let clients: ReadingClients;
beforeEach(async () => {
  proxied = await startProxiedGateway(SEED, settings);
  await proxied.gateway.reset({ count: CLIENTS * NAMES_EACH });
  clients = startReading(proxied.gateway, CLIENTS, REST_MS);
});
afterEach(async () => {
  proxied.proxy.setToxics([]);
  await clients.stop();
  await proxied.close();
});
afterAll(() => report.write());

async function isOut(): Promise<boolean> {
  const health = await fetch(`${proxied.gateway.origin}/health/ready`);
  return (await health.json()).piopiy === "down";
}

/** Lets the clients read before, during and after an outage. Returns the measurements of each time. */
async function outage(toxic: Toxic) {
  const { proxy } = proxied;
  const reads = () => clients.reads.length;
  await until(() => reads() > 100);
  proxy.resetCounts();
  const calmAt = performance.now();
  await pause(CALM_MS);
  const normalRate = proxy.counts.exchanges / (performance.now() - calmAt);

  proxy.setToxics([[1, toxic]]);
  proxy.resetCounts();
  const outAt = performance.now();
  await until(isOut);
  const openAt = performance.now();
  await pause(OUTAGE_MS);
  const requests = proxy.counts.exchanges;
  const upstreamRate = requests / (performance.now() - outAt);
  proxy.setToxics([]);
  const overAt = performance.now();
  proxy.resetCounts();
  const isRecovered = () => clients.reads.some(({ begun, ending }) => begun > overAt && ending === "ok");
  await until(isRecovered);
  const before = reads();
  await until(() => reads() > before + 100);

  const quick = clients.reads.filter(({ begun, ended }) => begun > openAt && ended < overAt);
  const back = clients.reads.find(({ begun, ending }) => begun > overAt && ending === "ok");
  const recoveredAt = back?.ended ?? Number.POSITIVE_INFINITY;
  return {
    requests,
    probes: Math.ceil((overAt - openAt) / RESET_MS),
    share: upstreamRate / normalRate,
    codes: new Set(quick.map(({ ending }) => ending)),
    median: quantile(
      quick.map(({ begun, ended }) => ended - begun),
      0.5,
    ),
    p99: quantile(
      quick.map(({ begun, ended }) => ended - begun),
      0.99,
    ),
    firstFailures: clients.reads
      .filter(({ begun, ending }) => begun > outAt && begun < openAt && ending !== "ok")
      .map(({ begun, ended }) => ended - begun),
    recovery: recoveredAt - overAt,
    failuresAfter: clients.reads.filter(({ begun, ending }) => begun > recoveredAt && ending !== "ok"),
  };
}

describe("An upstream that is down", () => {
  it.each<[string, Toxic]>([
    ["a black hole", { kind: "black-hole" }],
    ["resets", { kind: "reset", on: "request" }],
  ])(
    "receives few requests, and is used again as soon as it is up: %s",
    async (name, toxic) => {
      const seen = await outage(toxic);
      const mostRecovery = RESET_MS + TIMEOUT_MS + 50;
      report.goal(
        `${name}: responses while the circuit breaker is open, p99 under 50 ms`,
        `${seen.p99.toFixed(1)} ms`,
        seen.p99 < 50,
      );
      report.goal(
        `${name}: upstream requests under 5 % of the normal rate`,
        `${(100 * seen.share).toFixed(2)} %`,
        seen.share < 0.05,
      );
      report.goal(
        `${name}: recovery within the reset time and one attempt (${mostRecovery} ms with a margin)`,
        `${seen.recovery.toFixed(0)} ms`,
        seen.recovery < mostRecovery,
      );
      report.goal(
        `${name}: failures after the recovery: none`,
        String(seen.failuresAfter.length),
        seen.failuresAfter.length === 0,
      );
      // One request of each client, another one after each failure that led to the opening, and a probe for each reset time.
      expect(seen.requests).toBeLessThanOrEqual(CLIENTS + 10 + seen.probes);
      if (isLong) expect(seen.share).toBeLessThan(0.05);
      expect(seen.failuresAfter).toEqual([]);
      for (const code of seen.codes) expect(["UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"]).toContain(code);
      // A response without an upstream request takes a small part of the time of one with a lost request.
      if (toxic.kind === "black-hole") expect(seen.median).toBeLessThan(Math.max(...seen.firstFailures) / 2);
      if (isLong) expect(seen.p99).toBeLessThan(50);
      if (isLong) expect(seen.recovery).toBeLessThan(mostRecovery);
    },
    90_000,
  );
});
