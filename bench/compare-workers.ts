import type { Contestant } from "./contestants.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { distinctNames, hotSet } from "./workloads/throughput.js";
import type { RunContext, Workload } from "./workloads/workload.js";

const workloads: readonly Workload[] = [distinctNames, hotSet];

/** Compares one worker of the gateway with two. */
export async function compareWorkers(
  gateway: Contestant,
  rounds: number,
  context: RunContext,
): Promise<void> {
  const { environment, results } = context;
  const one = await RunningContestant.start(gateway, { ...environment, WORKERS: "1" }, "user-1");
  const two = await RunningContestant.start(gateway, { ...environment, WORKERS: "2" }, "user-1");
  try {
    if (two.group.processCount < 3) throw new Error("this build of the gateway does not support WORKERS=2");
    for (const running of [one, two]) {
      for (const workload of workloads) await workload.measure(running, context);
    }
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) await compare(workload, one, two, { ...context, round });
    }
  } catch (error) {
    results.fail("workers", gateway.name, error instanceof Error ? error.message : String(error));
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
}

/** Measures one and two workers, in alternating order. */
async function compare(
  workload: Workload,
  one: RunningContestant,
  two: RunningContestant,
  context: RunContext,
) {
  const { results, round, onProgress } = context;
  onProgress(`round ${round + 1}: ${workload.title}, one worker and two`);
  for (const running of round % 2 === 0 ? [one, two] : [two, one]) {
    const name = `${workload.name}${running === one ? "One" : "Two"}`;
    const measures = await measureCost(workload, running, context);
    results.add("workers", one.contestant.name, {
      [name]: measures.perSecond,
      [`${name}Microseconds`]: measures.microseconds,
    });
  }
}

/** Returns the responses per second, and the processor time of a response. */
async function measureCost(workload: Workload, running: RunningContestant, context: RunContext) {
  const [used, begun] = [running.group.processorSeconds, performance.now()];
  const perSecond = (await workload.measure(running, context))?.perSecond ?? Number.NaN;
  // The processor time includes the warm-up, so its responses are estimated at the same rate.
  const responses = (perSecond * (performance.now() - begun)) / 1000;
  return { perSecond, microseconds: ((running.group.processorSeconds - used) / responses) * 1e6 };
}
