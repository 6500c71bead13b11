import type { RunningContestant } from "../processes/running-contestant.js";
import { HOLDS } from "./endpoints.js";
import type { Measures, Tools, Workload } from "./workload.js";

/** Enough that the contestant is never idle, and for fifty calls a request fewer do. */
const CONNECTIONS = 32;
const HEAVY_CONNECTIONS = 8;
/** More than any contestant can ask in a second. */
const MOST_PER_SECOND = 60_000;

/** Every request is about another endpoint. */
export const distinctNames: Workload = {
  name: "distinct",
  title: "distinct names",
  measure(running, tools) {
    const seconds = (tools.ms + tools.warmupMs) / 1000;
    const from = tools.names.fresh(Math.ceil(seconds * MOST_PER_SECOND));
    return load(running, tools, CONNECTIONS, [running.contestant.dialect.one("user-@@")], from);
  },
};

/** Twenty names, over and over. */
export const hotSet: Workload = {
  name: "hot",
  title: "hot set of 20",
  measure: (running, tools) =>
    load(running, tools, CONNECTIONS, tools.names.hot(20).map(running.contestant.dialect.one)),
};

/** Fifty aliases over 25 names, over and over. */
export const hotAliases: Workload = {
  name: "aliases",
  title: "50 aliases",
  async measure(running, tools) {
    const { many } = running.contestant.dialect;
    return many && load(running, tools, HEAVY_CONNECTIONS, [many(tools.names.hot(25))]);
  },
};

/** One page of fifty rows with all fields, over and over. */
export const hotRows: Workload = {
  name: "rows",
  title: "50 rows",
  async measure(running, tools) {
    const { rows } = running.contestant.dialect;
    return rows && load(running, tools, HEAVY_CONNECTIONS, [rows(tools.names.hotOffset, 50)]);
  },
};

async function load(
  { url }: RunningContestant,
  { loader, upstream, ms, warmupMs, delayMs }: Tools,
  connections: number,
  bodies: readonly string[],
  from?: number,
): Promise<Measures> {
  await upstream.change({ delayMs });
  const about = from === undefined ? { from: 0 } : { from, holds: HOLDS };
  const job = { kind: "closed", url, bodies, connections, ms, warmupMs, ...about } as const;
  const result = await loader.run(job);
  const { answers, p50, p99 } = result;
  if (answers === 0) throw new Error("no answer came in time");
  return { perSecond: (answers / result.ms) * 1000, p50, p99 };
}
