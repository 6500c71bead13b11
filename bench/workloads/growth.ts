import type { RunningContestant } from "../processes/running-contestant.js";
import type { Measures } from "../report/results.js";
import { MANY_ENDPOINTS } from "./endpoints.js";
import type { Workload, WorkloadContext } from "./workload.js";

export const SIZES = [100, 1000, 10_000] as const;
const DELAY_MS = 5;
const SAMPLES = 3;

/** Upstream requests and time for a page at the end of the list and for one endpoint, as the account grows. */
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
  // Other endpoints each round, so that none is cached; an account of 100 has no more than a few.
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
