import type { Workload } from "./workload.js";

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
