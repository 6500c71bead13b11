import type { Contestant, Environment } from "./contestants.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { distinctNames, hotSet } from "./workloads/throughput.js";
import type { RunContext, Workload } from "./workloads/workload.js";

const SCRAPE_INTERVAL_MS = 1000;

const workloads: readonly Workload[] = [distinctNames, hotSet];

/** Two settings of the gateway that are compared. */
export interface Comparison {
  readonly name: string;
  readonly base: Environment;
  readonly other: Environment;
}

/** Compares the gateway with two settings, in interleaved rounds. If one has `METRICS_PORT`, its metrics are scraped each second. */
export async function compareSettings(
  gateway: Contestant,
  { name, base: baseEnvironment, other: otherEnvironment }: Comparison,
  rounds: number,
  context: RunContext,
): Promise<void> {
  const { environment, results, onProgress } = context;
  const base = await RunningContestant.start(gateway, { ...environment, ...baseEnvironment }, "user-1");
  const other = await RunningContestant.start(gateway, { ...environment, ...otherEnvironment }, "user-1");
  const metrics = `http://127.0.0.1:${otherEnvironment.METRICS_PORT}/metrics`;
  const scraping = otherEnvironment.METRICS_PORT
    ? setInterval(() => void fetch(metrics).then((response) => response.text()), SCRAPE_INTERVAL_MS)
    : undefined;
  try {
    for (const running of [base, other]) {
      for (const workload of workloads) await workload.measure(running, context);
    }
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) {
        onProgress(`round ${round + 1}: ${workload.title}, ${name}`);
        for (const running of round % 2 === 0 ? [base, other] : [other, base]) {
          const measure = `${workload.name}${running === base ? "Base" : "Other"}`;
          const { perSecond, microseconds } = await measureCost(workload, running, { ...context, round });
          results.add(name, gateway.name, {
            [measure]: perSecond,
            [`${measure}Microseconds`]: microseconds,
          });
        }
      }
    }
  } catch (error) {
    results.fail(name, gateway.name, error instanceof Error ? error.message : String(error));
  } finally {
    clearInterval(scraping);
    await Promise.all([base.stop(), other.stop()]);
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
