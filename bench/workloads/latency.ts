import { HOLDS } from "./expected.js";
import type { Tools, Workload } from "./workload.js";

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
