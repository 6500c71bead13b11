import { COMMON_ENVIRONMENT, type Contestant } from "./contestants.js";
import { LoadGenerator } from "./load/load-generator.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { Upstream } from "./upstream/upstream.js";
import { EXPECTED_TEXT, MANY_ENDPOINTS, Names } from "./workloads/endpoints.js";
import { verifyResponses } from "./workloads/verify-responses.js";

/** So few requests per second that the processor is idle most of the time. */
const PER_SECOND = 50;
const MS = 1000;

/**
 * Starts the contestants one at a time, compares every field of their responses with the expected ones, and sends requests for one
 * second. Measures nothing.
 *
 * @returns a line for each contestant that cannot be started or has returned an invalid response
 */
export async function smoke(chosen: readonly Contestant[]): Promise<string[]> {
  const upstream = await Upstream.start(MANY_ENDPOINTS);
  const loadGenerator = new LoadGenerator();
  const environment = { ...COMMON_ENVIRONMENT, UPSTREAM_URL: upstream.url };
  const names = new Names();
  const problems: string[] = [];
  for (const contestant of chosen) {
    try {
      await contestant.prepare?.(environment);
      const one = await RunningContestant.start(contestant, environment, "user-1");
      try {
        await verifyResponses(one, names);
        const from = names.fresh((PER_SECOND * MS) / 1000);
        const bodies = [contestant.api.endpointQuery("user-@@")];
        const target = { url: one.url, bodies, from, mustContain: EXPECTED_TEXT };
        await loadGenerator.run({ kind: "open", ...target, perSecond: PER_SECOND, ms: MS });
      } finally {
        await one.stop();
      }
    } catch (error) {
      problems.push(`${contestant.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  loadGenerator.stop();
  await upstream.group.stop();
  return problems;
}
