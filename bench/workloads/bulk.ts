import { GATEWAY } from "../contestants.js";
import type { RunningContestant } from "../processes/running-contestant.js";
import { type Names, usernames } from "./endpoints.js";
import type { Workload, WorkloadContext } from "./workload.js";

const SLOW_MS = 50;
const ITEMS = 200;
const MUTATIONS = 5;
/** How often the mutations are sent before the measurement. */
const WARM_UP = 8;
/** The gateway's mutations use half of the concurrency limit of 64. The direct requests have the same number in flight. */
const CONNECTIONS = 32;
const CREATE =
  "mutation Create($items: [CreateSipEndpointsItem!]!) { createSipEndpoints(input: { items: $items }) { results { username password } created } }";

/** Measures the creation of 1,000 endpoints by mutations of 200, and by direct upstream requests. Only this gateway has the mutation. */
export const bulkCreation: Workload = {
  name: "bulk",
  title: "1,000 creates in bulk",
  async measure({ url, contestant }: RunningContestant, context: WorkloadContext) {
    if (contestant.name !== GATEWAY) return undefined;
    const { loadGenerator, upstream, names, ms, warmupMs } = context;
    const create = () => {
      const bodies = Array.from({ length: MUTATIONS }, () => mutation(names));
      const about = { url, bodies, from: 0, mustContain: `"created":${ITEMS}` };
      return loadGenerator.run({ kind: "sequence", ...about });
    };
    // No other workload has mutations, so that their code is not compiled yet.
    await upstream.configure({ delayMs: 0 });
    for (let round = 0; round < WARM_UP; round++) await create();
    await upstream.configure({ delayMs: SLOW_MS });
    const direct = await loadGenerator.run({
      ...{ kind: "closed", url: `${upstream.url}add_sip`, connections: CONNECTIONS, ms, warmupMs },
      bodies: ['{"username":"direct-@@","password":"made-up-9"}'],
      from: names.fresh(1_000_000),
      mustContain: '"username":"direct-@@"',
    });
    const bulk = await create();
    const directMs = (MUTATIONS * ITEMS * direct.ms) / direct.responses;
    return { bulkMs: bulk.ms, directMs, ratio: bulk.ms / directMs };
  },
};

/** Returns a mutation that creates endpoints with new names. */
function mutation(names: Names): string {
  const items = usernames(names.fresh(ITEMS), ITEMS).map((name) => ({ username: `bulk-${name}` }));
  return JSON.stringify({ query: CREATE, variables: { items } });
}
