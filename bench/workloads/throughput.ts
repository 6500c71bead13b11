import type { RunningContestant } from "../processes/running-contestant.js";
import type { Measures } from "../report/results.js";
import { EXPECTED_TEXT } from "./endpoints.js";
import type { Workload, WorkloadContext } from "./workload.js";

/** Enough connections that the contestant is never idle. Fewer are enough where a request causes fifty upstream requests. */
const CONNECTIONS = 32;
const HEAVY_CONNECTIONS = 8;
/** More upstream requests than any contestant can send in a second. */
const MOST_PER_SECOND = 60_000;

/** Measures throughput where every request reads another endpoint. */
export const distinctNames: Workload = {
  name: "distinct",
  title: "distinct names",
  measure(running, context) {
    const seconds = (context.ms + context.warmupMs) / 1000;
    const from = context.names.fresh(Math.ceil(seconds * MOST_PER_SECOND));
    return load(running, context, CONNECTIONS, [running.contestant.api.endpointQuery("user-@@")], from);
  },
};

/** Measures throughput for twenty names that repeat. */
export const hotSet: Workload = {
  name: "hot",
  title: "hot set of 20",
  measure: (running, context) =>
    load(running, context, CONNECTIONS, context.names.hot(20).map(running.contestant.api.endpointQuery)),
};

/** Measures throughput for one document with fifty aliases over 25 names. */
export const hotAliases: Workload = {
  name: "aliases",
  title: "50 aliases",
  async measure(running, context) {
    const { aliasesQuery } = running.contestant.api;
    return aliasesQuery && load(running, context, HEAVY_CONNECTIONS, [aliasesQuery(context.names.hot(25))]);
  },
};

/** Measures throughput for one page of fifty rows with all fields. */
export const hotRows: Workload = {
  name: "rows",
  title: "50 rows",
  async measure(running, context) {
    const { rowsQuery } = running.contestant.api;
    return rowsQuery && load(running, context, HEAVY_CONNECTIONS, [rowsQuery(context.names.hotOffset, 50)]);
  },
};

async function load(
  { url }: RunningContestant,
  { loadGenerator, upstream, ms, warmupMs, delayMs }: WorkloadContext,
  connections: number,
  bodies: readonly string[],
  from?: number,
): Promise<Measures> {
  await upstream.configure({ delayMs });
  const about = from === undefined ? { from: 0 } : { from, mustContain: EXPECTED_TEXT };
  const job = { kind: "closed", url, bodies, connections, ms, warmupMs, ...about } as const;
  const result = await loadGenerator.run(job);
  const { responses, p50, p99 } = result;
  if (responses === 0) throw new Error("no response arrived in time");
  return { perSecond: (responses / result.ms) * 1000, p50, p99 };
}
