import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, expect, it } from "@jest/globals";
import { until } from "../support/until.js";
import { type ProxiedGateway, startProxiedGateway } from "./proxied-gateway.js";
import { Report } from "./report.js";

const SEED = 20_260_706;
const TIMEOUT_MS = 1000;
const RESET_MS = 100;

const settings = {
  PIOPIY_TIMEOUT_MS: String(TIMEOUT_MS),
  // No time is left for a retry: one that is sent when the breaker opens would be counted as a probe.
  PIOPIY_DEADLINE_MS: String(TIMEOUT_MS),
  BREAKER_RESET_MS: String(RESET_MS),
};

const report = new Report(
  "f",
  `seed ${SEED}, a reset time shorter than an attempt, ${JSON.stringify(settings)}`,
);
let proxied: ProxiedGateway | undefined;
afterEach(() => proxied?.close());
afterAll(() => report.write());

const read = (username: string) =>
  proxied?.gateway.execute(`{ sipEndpoint(username: "${username}") { username } }`);

// src/piopiy/pipeline/circuit-breaker.ts: a request that began before the breaker opened and fails during a probe would start a second
// probe beside the first, if its failure counted. After the recovery it would open the breaker again.
it("An open circuit breaker allows one probe at a time, also while requests from before the opening still fail", async () => {
  proxied = await startProxiedGateway(SEED, settings);
  const { proxy, gateway } = proxied;
  proxy.setToxics([[1, { kind: "black-hole" }]]);
  const isOut = async () => {
    const health = await fetch(`${gateway.origin}/health/ready`);
    return (await health.json()).piopiy === "down";
  };
  const early = Array.from({ length: 10 }, (_, number) => read(`early${number}`));
  await until(() => proxy.counts.exchanges === 10);
  await pause(TIMEOUT_MS / 2);
  const late = read("late");
  await until(isOut);
  // The first probe begins while the late request is in flight, and times out long after it.
  const before = proxy.counts.exchanges;
  const probes: unknown[] = [];
  let probeAt = performance.now();
  while (proxy.counts.exchanges === before) {
    probeAt = performance.now();
    probes.push(read(`probe${probes.length}`));
    await pause(5);
  }
  await late;
  // Counted only while the first probe is certainly in flight: on a busy machine it begins long before the test sees it.
  let during = 0;
  while (performance.now() < probeAt + TIMEOUT_MS * 0.8) {
    during = proxy.counts.exchanges - before;
    probes.push(read(`probe${probes.length}`));
    await pause(5);
  }
  proxy.setToxics([]);
  await Promise.all([...early, ...probes]);
  report.goal(
    "probes in flight at a time, while requests from before the opening still fail: 1",
    String(during),
    during === 1,
  );
  expect(during).toBe(1);
});
