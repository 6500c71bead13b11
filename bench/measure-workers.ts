import type { Contestant } from "./contestants.js";
import { RunningContestant } from "./processes/running-contestant.js";
import type { Stage } from "./run.js";
import { distinctNames, hotSet } from "./workloads/throughput.js";
import type { Workload } from "./workloads/workload.js";

const workloads: readonly Workload[] = [distinctNames, hotSet];

/** Single reads on one worker of the gateway and on two. */
export async function measureWorkers(gateway: Contestant, rounds: number, stage: Stage): Promise<void> {
  const { told, results } = stage;
  const one = await RunningContestant.start(gateway, { ...told, WORKERS: "1" }, "user-1");
  const two = await RunningContestant.start(gateway, { ...told, WORKERS: "2" }, "user-1");
  try {
    if (two.group.processCount < 3) throw new Error("this build of the gateway does not know WORKERS");
    for (const running of [one, two]) {
      for (const workload of workloads) await workload.measure(running, stage);
    }
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) await compare(workload, one, two, { ...stage, round });
    }
  } catch (error) {
    results.fail("workers", gateway.name, error instanceof Error ? error.message : String(error));
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
}

/** Each begins in turn. */
async function compare(workload: Workload, one: RunningContestant, two: RunningContestant, stage: Stage) {
  const { results, round, say } = stage;
  say(`round ${round + 1}: ${workload.title}, one worker and two`);
  const found = new Map<RunningContestant, number>();
  for (const running of round % 2 === 0 ? [one, two] : [two, one]) {
    found.set(running, (await workload.measure(running, stage))?.perSecond ?? Number.NaN);
  }
  results.add("workers", one.contestant.name, {
    [`${workload.name}One`]: found.get(one) ?? Number.NaN,
    [`${workload.name}Two`]: found.get(two) ?? Number.NaN,
  });
}
