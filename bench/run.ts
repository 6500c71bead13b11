import { composeSupergraph } from "./contestants/mesh/supergraph.js";
import { type Contestant, contestants, GATEWAY, TOLD } from "./contestants.js";
import { Loader } from "./load/load-generator.js";
import { measureWorkers } from "./measure-workers.js";
import type { Options } from "./options.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { Results } from "./report/results.js";
import { Upstream } from "./upstream/upstream.js";
import { MANY_ENDPOINTS, Names } from "./workloads/endpoints.js";
import { growth } from "./workloads/growth.js";
import { addedLatency, coldAliases, coldBurst, coldRows, warmCold } from "./workloads/latency.js";
import { distinctNames, hotAliases, hotRows, hotSet } from "./workloads/throughput.js";
import { check } from "./workloads/verify-responses.js";
import type { Tools } from "./workloads/workload.js";

const workloads = [
  distinctNames,
  hotSet,
  hotAliases,
  hotRows,
  coldBurst,
  addedLatency,
  coldAliases,
  coldRows,
  growth,
];

/** Everything that a run needs, told to each part of it. */
export interface Stage extends Tools {
  readonly told: Readonly<Record<string, string>>;
  readonly results: Results;
  say(text: string): void;
}

/** Measures all workloads of all contestants, round by round. */
export async function run(options: Options, say: (text: string) => void): Promise<Results> {
  const upstream = await Upstream.start(MANY_ENDPOINTS);
  const loader = new Loader();
  const stage: Stage = {
    ...{ upstream, loader, say, delayMs: options.delayMs, round: 0 },
    names: new Names(),
    results: new Results(),
    ms: options.seconds * 1000,
    warmupMs: options.quick ? 300 : 700,
    openLoopMs: options.quick ? 1000 : options.seconds * 2000,
    told: { ...TOLD, UPSTREAM_URL: upstream.url },
  };
  const chosen = contestants.filter(({ name }) => options.only.includes(name));
  const running = await startAll(chosen, stage);
  await warmUp(running, stage);
  for (let round = 0; round < options.rounds; round++) {
    await playRound(running, { ...stage, round });
  }
  for (const { contestant, group } of running) {
    stage.results.add("memory", contestant.name, { megabytes: group.residentMegabytes });
  }
  await Promise.all(running.map((one) => one.stop()));
  const valid = running.map(({ contestant }) => contestant);
  await measureStarts(valid, options.rounds, stage);
  const gateway = valid.find(({ name }) => name === GATEWAY);
  if (gateway) await measureWorkers(gateway, options.rounds, stage);
  loader.stop();
  await upstream.group.stop();
  return stage.results;
}

/** Those that start and answer rightly. */
async function startAll(chosen: readonly Contestant[], stage: Stage): Promise<RunningContestant[]> {
  const running: RunningContestant[] = [];
  for (const contestant of chosen) {
    stage.say(`starting ${contestant.name}`);
    try {
      if (contestant.name === "mesh") await composeSupergraph(stage.told);
      const one = await RunningContestant.start(contestant, stage.told, "user-1");
      await check(one, stage.names);
      running.push(one);
    } catch (error) {
      stage.results.fail("all", contestant.name, messageOf(error));
    }
  }
  return running;
}

/** Lets every contestant's code be compiled before the first round. */
async function warmUp(running: readonly RunningContestant[], stage: Stage): Promise<void> {
  for (const one of running) {
    stage.say(`warming ${one.contestant.name} up`);
    for (const workload of [distinctNames, hotAliases, hotRows]) {
      await workload.measure(one, stage).catch(() => undefined);
    }
    await warmCold(one, stage).catch(() => undefined);
  }
}

async function playRound(running: readonly RunningContestant[], stage: Stage): Promise<void> {
  // Another one begins each round, so that nobody always runs after the same neighbour.
  const first = stage.round % Math.max(1, running.length);
  const order = [...running.slice(first), ...running.slice(0, first)];
  for (const workload of workloads) {
    for (const one of order) {
      const { name } = one.contestant;
      if (stage.results.problem(workload.name, name)) continue;
      stage.say(`round ${stage.round + 1}: ${workload.title}, ${name}`);
      try {
        const measures = await workload.measure(one, stage);
        if (measures) stage.results.add(workload.name, name, measures);
      } catch (error) {
        stage.results.fail(workload.name, name, messageOf(error));
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** From the start of a contestant's process to its first answer, each alone. */
export async function measureStarts(
  contestants: readonly Contestant[],
  rounds: number,
  { upstream, told, results, say }: Stage,
): Promise<void> {
  await upstream.change({ delayMs: 0 });
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      say(`round ${round + 1}: start to first answer, ${contestant.name}`);
      const one = await RunningContestant.start(contestant, told, "user-1");
      results.add("start", contestant.name, { ms: one.startMs });
      await one.stop();
    }
  }
}
