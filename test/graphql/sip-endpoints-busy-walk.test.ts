import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type GraphqlResponse, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "silent" } });
  await gateway.reset({ count: COUNT });
});
afterEach(() => gateway.close());

const COUNT = 1000;
const CLIENTS = 4;
const SEED = 20_261_123;

interface Page {
  sipEndpoints: {
    nodes: { username: string }[];
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
}

/** Reads all names with 25 rows per page. */
async function walk(): Promise<string[]> {
  const names: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const query =
      "query ($after: String) { sipEndpoints(first: 25, after: $after) { nodes { username } pageInfo { endCursor hasNextPage } } }";
    const { data, errors }: GraphqlResponse<Page> = await gateway.execute(query, { after });
    expect(errors).toBeUndefined();
    names.push(...data.sipEndpoints.nodes.map(({ username }) => username));
    after = data.sipEndpoints.pageInfo.endCursor;
    more = data.sipEndpoints.pageInfo.hasNextPage;
  }
  return names;
}

/** Returns a generator of numbers from 0 to 1 that are the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("Paginating 1,000 endpoints, 25 per page", () => {
  it("returns each endpoint that stays exactly once, while four clients remove and create others", async () => {
    const present = await walk();
    const stayed = new Set(present);
    const draw = random(SEED);
    let walking = true;
    let changes = 0;
    const clients = Array.from({ length: CLIENTS }, async () => {
      for (; walking; changes++) {
        if (draw() < 0.5) {
          const [username] = present.splice(Math.floor(draw() * present.length), 1);
          stayed.delete(String(username));
          await gateway.execute(
            "mutation ($i: RemoveSipEndpointInput!) { removeSipEndpoint(input: $i) { username } }",
            {
              i: { username },
            },
          );
        } else {
          const username = `new-${changes}`;
          present.push(username);
          await gateway.execute(
            "mutation ($i: CreateSipEndpointInput!) { createSipEndpoint(input: $i) { password } }",
            {
              i: { username },
            },
          );
        }
      }
    });
    const seen = await walk();
    walking = false;
    await Promise.all(clients);
    expect(changes).toBeGreaterThan(50);
    expect(stayed.size).toBeGreaterThan(50);
    const times = new Map<string, number>();
    for (const name of seen) times.set(name, (times.get(name) ?? 0) + 1);
    expect([...stayed].filter((name) => times.get(name) !== 1)).toEqual([]);
  }, 300_000);
});
