import type { RunningContestant } from "../processes/running-contestant.js";
import { MANY_ENDPOINTS } from "./endpoints.js";
import type { Measures, Tools, Workload } from "./workload.js";

export const SIZES = [100, 1000, 10_000] as const;
const DELAY_MS = 5;
const SAMPLES = 3;

/** What a page at the end of the list and one endpoint cost as the account grows. */
export const growth: Workload = {
  name: "growth",
  title: "growth",
  async measure(running, tools) {
    try {
      await tools.upstream.change({ delayMs: DELAY_MS });
      const measures: Record<string, number> = {};
      for (const size of SIZES) Object.assign(measures, await measureSize(size, running, tools));
      return measures;
    } finally {
      await tools.upstream.change({ endpoints: MANY_ENDPOINTS });
    }
  },
};

async function measureSize(
  size: number,
  { url, contestant: { dialect } }: RunningContestant,
  { loader, upstream, round }: Tools,
): Promise<Measures> {
  await upstream.change({ endpoints: size });
  // Others each round, so that none is in a cache; an account of 100 has no more than a few.
  const samples = Array.from({ length: SAMPLES }, (_, index) => (round % 3) * SAMPLES + index);
  const measure = async (name: string, bodies: readonly string[]): Promise<Measures> => {
    const { calls, result } = await upstream.count(() =>
      loader.run({ kind: "sequence", url, bodies, from: 0 }),
    );
    return { [`${name}Calls${size}`]: calls / SAMPLES, [`${name}Ms${size}`]: result.p50 };
  };
  const { rows } = dialect;
  return {
    ...(rows &&
      (await measure(
        "page",
        samples.map((sample) => rows(size - 10 * (sample + 1), 10)),
      ))),
    ...(await measure(
      "one",
      samples.map((sample) => dialect.one(`user-${size / 2 - 49 + sample}`)),
    )),
  };
}
