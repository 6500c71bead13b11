import { MANY_ENDPOINTS } from "./endpoints.js";
import type { Workload } from "./workload.js";

/** Number of endpoints in which the workload searches. */
export const SEARCHED = 5000;
const DELAY_MS = 5;
const SAMPLES = 5;
/** Invalidates the cached list: a mutation does so even if there is no such endpoint. */
const INVALIDATION = JSON.stringify({
  query: 'mutation { removeSipEndpoint(input: { username: "nobody" }) { userErrors { code } } }',
});

/** Measures a search in the whole list: cold, and then other searches, which are warm. */
export const search: Workload = {
  name: "search",
  title: "search",
  async measure({ url, contestant }, { loadGenerator, upstream }) {
    const { searchQuery } = contestant.api;
    if (!searchQuery) return undefined;
    try {
      await upstream.configure({ delayMs: DELAY_MS, endpoints: SEARCHED });
      const send = (bodies: readonly string[]) =>
        upstream.countRequests(() => loadGenerator.run({ kind: "sequence", url, bodies, from: 0 }));
      await send([INVALIDATION]);
      const cold = await send([searchQuery("499")]);
      const warm = await send(Array.from({ length: SAMPLES }, (_, index) => searchQuery(`${index}7`)));
      return {
        coldMs: cold.result.p50,
        coldRequests: cold.requests,
        warmMs: warm.result.p50,
        warmRequests: warm.requests / SAMPLES,
      };
    } finally {
      await upstream.configure({ endpoints: MANY_ENDPOINTS });
      // Later workloads must not find the list of this one in the cache.
      await loadGenerator.run({ kind: "sequence", url, bodies: [INVALIDATION], from: 0 });
    }
  },
};
