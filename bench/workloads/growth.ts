import type { RunningContestant } from "../processes/running-contestant.js";
import type { Measures } from "../report/results.js";
import { MANY_ENDPOINTS } from "./endpoints.js";
import type { Workload, WorkloadContext } from "./workload.js";

export const SIZES = [100, 1000, 10_000, 100_000] as const;
const DELAY_MS = 5;
const SAMPLES = 3;

/** Measures upstream requests and time for the last page of the list and for one endpoint, in accounts of several sizes. */
export const growth: Workload = {
  name: "growth",
  title: "growth",
  async measure(running, context) {
    try {
      await context.upstream.configure({ delayMs: DELAY_MS });
      const measures: Record<string, number> = {};
      for (const size of SIZES) Object.assign(measures, await measureSize(size, running, context));
      return measures;
    } finally {
      await context.upstream.configure({ endpoints: MANY_ENDPOINTS });
    }
  },
};

async function measureSize(
  size: number,
  { url, contestant: { api } }: RunningContestant,
  { loadGenerator, upstream, round }: WorkloadContext,
): Promise<Measures> {
  await upstream.configure({ endpoints: size });
  // Each round reads other endpoints, so that none is cached. They repeat after three rounds, because an account of 100 is small.
  const samples = Array.from({ length: SAMPLES }, (_, index) => (round % 3) * SAMPLES + index);
  const measure = async (name: string, bodies: readonly string[]): Promise<Measures> => {
    const { requests, result } = await upstream.countRequests(() =>
      loadGenerator.run({ kind: "sequence", url, bodies, from: 0 }),
    );
    return { [`${name}Requests${size}`]: requests / SAMPLES, [`${name}Ms${size}`]: result.p50 };
  };
  const { rowsQuery } = api;
  return {
    ...(rowsQuery &&
      (await measure(
        "page",
        samples.map((sample) => rowsQuery(size - 10 * (sample + 1), 10)),
      ))),
    ...(await measure(
      "one",
      samples.map((sample) => api.endpointQuery(`user-${size / 2 - 49 + sample}`)),
    )),
  };
}
