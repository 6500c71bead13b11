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
  for (const running of round % 2 === 0 ? [one, two] : [two, one]) {
    const name = `${workload.name}${running === one ? "One" : "Two"}`;
    const measures = await measureCost(workload, running, stage);
    results.add("workers", one.contestant.name, {
      [name]: measures.perSecond,
      [`${name}Microseconds`]: measures.microseconds,
    });
  }
}

/** Answers a second, and what each took of a processor. */
async function measureCost(workload: Workload, running: RunningContestant, stage: Stage) {
  const [used, begun] = [running.group.processorSeconds, performance.now()];
  const perSecond = (await workload.measure(running, stage))?.perSecond ?? Number.NaN;
  // Answers of the warm-up count too: they come as fast.
  const answers = (perSecond * (performance.now() - begun)) / 1000;
  return { perSecond, microseconds: ((running.group.processorSeconds - used) / answers) * 1e6 };
}
