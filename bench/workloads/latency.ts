import type { RunningContestant } from "../processes/running-contestant.js";
import { HOLDS, usernames } from "./endpoints.js";
import type { Measures, Tools, Workload } from "./workload.js";

const PER_SECOND = 200;
export const SLOW_MS = 50;

/** What a contestant adds to a PIOPIY that takes 50 ms, at a constant rate of requests for distinct names. */
export const addedLatency: Workload = {
  name: "added",
  title: "added latency",
  async measure({ url, contestant }, tools) {
    await tools.upstream.change({ delayMs: SLOW_MS });
    // Timers are late and sockets take their time, so the upstream takes a little more than it is told to.
    const alone = await load(tools, `${tools.upstream.url}get_sip`, JSON.stringify({ username: "user-@@" }));
    const { p50, p99 } = await load(tools, url, contestant.dialect.one("user-@@"));
    return { p50: p50 - alone.p50, p99: p99 - alone.p50, upstream: alone.p50 };
  },
};

function load({ loader, names, openLoopMs }: Tools, url: string, body: string) {
  const from = names.fresh(Math.ceil((PER_SECOND * openLoopMs) / 1000));
  const about = { url, bodies: [body], from, holds: HOLDS };
  return loader.run({ kind: "open", ...about, perSecond: PER_SECOND, ms: openLoopMs });
}

const SAMPLES = 5;
const WARM_UP = 60;

/** 50 aliases over 25 names that nobody has asked for, in round trips to PIOPIY, and once more. */
export const coldAliases: Workload = {
  name: "coldAliases",
  title: "50 aliases, cold",
  async measure(running, tools) {
    const { many } = running.contestant.dialect;
    return many && measure(running, tools, () => many(usernames(tools.names.fresh(25), 25)));
  },
};

/** 50 rows that nobody has asked for, in round trips to PIOPIY, and once more. */
export const coldRows: Workload = {
  name: "coldRows",
  title: "50 rows, cold",
  async measure(running, tools) {
    const { rows } = running.contestant.dialect;
    return rows && measure(running, tools, () => rows(tools.names.fresh(50) - 1, 50));
  },
};

/** Lets the code behind both be compiled: asked the same again, most contestants answer without running it. */
export async function warmCold(
  { url, contestant: { dialect } }: RunningContestant,
  { loader, upstream, names }: Tools,
): Promise<void> {
  await upstream.change({ delayMs: 0 });
  const { many, rows } = dialect;
  const times = Array.from({ length: WARM_UP });
  const bodies = [
    ...(many ? times.map(() => many(usernames(names.fresh(25), 25))) : []),
    ...(rows ? times.map(() => rows(names.fresh(50) - 1, 50)) : []),
  ];
  if (bodies.length > 0) await loader.run({ kind: "sequence", url, bodies, from: 0 });
}

async function measure(
  { url }: RunningContestant,
  { loader, upstream, names }: Tools,
  body: () => string,
): Promise<Measures> {
  await upstream.change({ delayMs: SLOW_MS });
  const roundTrip = await loader.run({
    kind: "sequence",
    url: `${upstream.url}get_sip`,
    bodies: usernames(names.fresh(SAMPLES), SAMPLES).map((username) => JSON.stringify({ username })),
    from: 0,
  });
  const bodies = Array.from({ length: SAMPLES }, body);
  const ask = () => loader.run({ kind: "sequence", url, bodies, from: 0 });
  const cold = await upstream.count(ask);
  const warm = await upstream.count(ask);
  return {
    roundTrips: cold.result.p50 / roundTrip.p50,
    calls: cold.calls / SAMPLES,
    warmMs: warm.result.p50,
    warmCalls: warm.calls / SAMPLES,
  };
}

const CALLERS = 200;

/** 200 callers ask the same at once, about an endpoint that nobody has asked for. */
export const coldBurst: Workload = {
  name: "burst",
  title: "200 identical cold",
  async measure({ url, contestant }, { loader, upstream, names, delayMs }) {
    await upstream.change({ delayMs });
    const bodies = [contestant.dialect.one(`user-${names.fresh(1)}`)];
    const { calls, result } = await upstream.count(() =>
      loader.run({ kind: "burst", url, bodies, from: 0, connections: CALLERS }),
    );
    return { calls, ms: result.ms };
  },
};
