import { compareSettings } from "./compare-settings.js";
import { COMMON_ENVIRONMENT, type Contestant, contestants, GATEWAY } from "./contestants.js";
import { LoadGenerator } from "./load/load-generator.js";
import type { Options } from "./options.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { freePort } from "./processes/server.js";
import { Results } from "./report/results.js";
import { Upstream } from "./upstream/upstream.js";
import { bulkCreation } from "./workloads/bulk.js";
import { MANY_ENDPOINTS, Names } from "./workloads/endpoints.js";
import { growth } from "./workloads/growth.js";
import { addedLatency, coldAliases, coldBurst, coldRows, warmCold } from "./workloads/latency.js";
import { search } from "./workloads/search.js";
import { distinctNames, hotAliases, hotRows, hotSet } from "./workloads/throughput.js";
import { verifyResponses } from "./workloads/verify-responses.js";
import type { RunContext } from "./workloads/workload.js";

const workloads = [
  distinctNames,
  hotSet,
  hotAliases,
  hotRows,
  coldBurst,
  addedLatency,
  coldAliases,
  coldRows,
  bulkCreation,
  growth,
  search,
];

/** Measures all workloads of all contestants, round by round. */
export async function run(options: Options, onProgress: (text: string) => void): Promise<Results> {
  const upstream = await Upstream.start(MANY_ENDPOINTS);
  const loadGenerator = new LoadGenerator();
  const context: RunContext = {
    ...{ upstream, loadGenerator, onProgress, delayMs: options.delayMs, round: 0 },
    names: new Names(),
    results: new Results(),
    ms: options.seconds * 1000,
    warmupMs: options.quick ? 300 : 700,
    openLoopMs: options.quick ? 1000 : options.seconds * 2000,
    environment: { ...COMMON_ENVIRONMENT, UPSTREAM_URL: upstream.url },
  };
  const chosen = contestants.filter(({ name }) => options.only.includes(name));
  const running = await startAll(chosen, context);
  await warmUp(running, context);
  for (let round = 0; round < options.rounds; round++) {
    await runRound(running, { ...context, round });
  }
  for (const { contestant, group } of running) {
    context.results.add("memory", contestant.name, { megabytes: group.residentMegabytes });
  }
  await Promise.all(running.map((one) => one.stop()));
  const valid = running.map(({ contestant }) => contestant);
  await measureStarts(valid, options.rounds, context);
  const gateway = valid.find(({ name }) => name === GATEWAY);
  const comparisons = [
    { name: "workers", base: { WORKERS: "1" }, other: { WORKERS: "2" } },
    { name: "metrics", base: {}, other: { METRICS_PORT: String(await freePort()) } },
  ];
  for (const comparison of gateway ? comparisons : []) {
    await compareSettings(gateway as Contestant, comparison, options.rounds, context);
  }
  loadGenerator.stop();
  await upstream.group.stop();
  return context.results;
}

/** Starts the contestants. Returns those that return the expected responses. */
async function startAll(chosen: readonly Contestant[], context: RunContext): Promise<RunningContestant[]> {
  const running: RunningContestant[] = [];
  for (const contestant of chosen) {
    context.onProgress(`starting ${contestant.name}`);
    try {
      await contestant.prepare?.(context.environment);
      const one = await RunningContestant.start(contestant, context.environment, "user-1");
      await verifyResponses(one, context.names);
      running.push(one);
    } catch (error) {
      context.results.fail("all", contestant.name, messageOf(error));
    }
  }
  return running;
}

/** Sends load until the code of every contestant is compiled. */
async function warmUp(running: readonly RunningContestant[], context: RunContext): Promise<void> {
  for (const one of running) {
    context.onProgress(`warming ${one.contestant.name} up`);
    for (const workload of [distinctNames, hotAliases, hotRows]) {
      await workload.measure(one, context).catch(() => undefined);
    }
    await warmCold(one, context).catch(() => undefined);
  }
}

async function runRound(running: readonly RunningContestant[], context: RunContext): Promise<void> {
  // Each round begins with another contestant, so that none always runs after the same one.
  const first = context.round % Math.max(1, running.length);
  const order = [...running.slice(first), ...running.slice(0, first)];
  for (const workload of workloads) {
    for (const one of order) {
      const { name } = one.contestant;
      if (context.results.problem(workload.name, name)) continue;
      context.onProgress(`round ${context.round + 1}: ${workload.title}, ${name}`);
      try {
        const measures = await workload.measure(one, context);
        if (measures) context.results.add(workload.name, name, measures);
      } catch (error) {
        context.results.fail(workload.name, name, messageOf(error));
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Measures the time from the start of each contestant's process to its first response, one at a time. */
async function measureStarts(
  contestants: readonly Contestant[],
  rounds: number,
  { upstream, environment, results, onProgress }: RunContext,
): Promise<void> {
  await upstream.configure({ delayMs: 0 });
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      onProgress(`round ${round + 1}: start to first response, ${contestant.name}`);
      const one = await RunningContestant.start(contestant, environment, "user-1");
      results.add("start", contestant.name, { ms: one.startMs });
      await one.stop();
    }
  }
}
