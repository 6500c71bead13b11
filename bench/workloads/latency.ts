import type { RunningContestant } from "../processes/running-contestant.js";
import type { Measures } from "../report/results.js";
import { EXPECTED_TEXT, usernames } from "./endpoints.js";
import type { Workload, WorkloadContext } from "./workload.js";

const PER_SECOND = 200;
const SLOW_MS = 50;

/** Measures the latency that a contestant adds to a PIOPIY that takes 50 ms, at a constant rate of requests for distinct names. */
export const addedLatency: Workload = {
  name: "added",
  title: "added latency",
  async measure({ url, contestant }, context) {
    await context.upstream.configure({ delayMs: SLOW_MS });
    // Late timers and sockets make the upstream slower than its setting, so its latency is measured too.
    const alone = await load(
      context,
      `${context.upstream.url}get_sip`,
      JSON.stringify({ username: "user-@@" }),
    );
    const { p50, p99 } = await load(context, url, contestant.api.endpointQuery("user-@@"));
    return { p50: p50 - alone.p50, p99: p99 - alone.p50, upstream: alone.p50 };
  },
};

function load({ loadGenerator, names, openLoopMs }: WorkloadContext, url: string, body: string) {
  const from = names.fresh(Math.ceil((PER_SECOND * openLoopMs) / 1000));
  const about = { url, bodies: [body], from, mustContain: EXPECTED_TEXT };
  return loadGenerator.run({ kind: "open", ...about, perSecond: PER_SECOND, ms: openLoopMs });
}

const SAMPLES = 5;
const WARM_UP = 60;

/** Measures 50 aliases over 25 names: cold in round trips to PIOPIY, then warm. */
export const coldAliases: Workload = {
  name: "coldAliases",
  title: "50 aliases, cold",
  async measure(running, context) {
    const { aliasesQuery } = running.contestant.api;
    return (
      aliasesQuery && measure(running, context, () => aliasesQuery(usernames(context.names.fresh(25), 25)))
    );
  },
};

/** Measures 50 rows: cold in round trips to PIOPIY, then warm. */
export const coldRows: Workload = {
  name: "coldRows",
  title: "50 rows, cold",
  async measure(running, context) {
    const { rowsQuery } = running.contestant.api;
    return rowsQuery && measure(running, context, () => rowsQuery(context.names.fresh(50) - 1, 50));
  },
};

/** Sends cold queries until their code is compiled. A repeated query could be served from a cache and run none of that code. */
export async function warmCold(
  { url, contestant: { api } }: RunningContestant,
  { loadGenerator, upstream, names }: WorkloadContext,
): Promise<void> {
  await upstream.configure({ delayMs: 0 });
  const { aliasesQuery, rowsQuery } = api;
  const times = Array.from({ length: WARM_UP });
  const bodies = [
    ...(aliasesQuery ? times.map(() => aliasesQuery(usernames(names.fresh(25), 25))) : []),
    ...(rowsQuery ? times.map(() => rowsQuery(names.fresh(50) - 1, 50)) : []),
  ];
  if (bodies.length > 0) await loadGenerator.run({ kind: "sequence", url, bodies, from: 0 });
}

async function measure(
  { url }: RunningContestant,
  { loadGenerator, upstream, names }: WorkloadContext,
  body: () => string,
): Promise<Measures> {
  await upstream.configure({ delayMs: SLOW_MS });
  const roundTrip = await loadGenerator.run({
    kind: "sequence",
    url: `${upstream.url}get_sip`,
    bodies: usernames(names.fresh(SAMPLES), SAMPLES).map((username) => JSON.stringify({ username })),
    from: 0,
  });
  const bodies = Array.from({ length: SAMPLES }, body);
  const send = () => loadGenerator.run({ kind: "sequence", url, bodies, from: 0 });
  const cold = await upstream.countRequests(send);
  const warm = await upstream.countRequests(send);
  return {
    roundTrips: cold.result.p50 / roundTrip.p50,
    upstreamRequests: cold.requests / SAMPLES,
    warmMs: warm.result.p50,
    warmUpstreamRequests: warm.requests / SAMPLES,
  };
}

const CLIENTS = 200;

/** Measures 200 parallel requests for the same endpoint, which is not cached. */
export const coldBurst: Workload = {
  name: "burst",
  title: "200 identical cold",
  async measure({ url, contestant }, { loadGenerator, upstream, names, delayMs }) {
    await upstream.configure({ delayMs });
    const bodies = [contestant.api.endpointQuery(`user-${names.fresh(1)}`)];
    const { requests, result } = await upstream.countRequests(() =>
      loadGenerator.run({ kind: "burst", url, bodies, from: 0, connections: CLIENTS }),
    );
    return { upstreamRequests: requests, ms: result.ms };
  },
};
