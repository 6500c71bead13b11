import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, queryList, readList, usernamesOf } from "./list-query.js";
import { ListWalk } from "./list-walk.js";
import { type Order, OrderedUpstream, orders } from "./ordered-upstream.js";

/** With the default cache, and without a cache. */
describe.each(["10000", "0"])("With CACHE_TTL_MS=%s, Query.sipEndpoints", (CACHE_TTL_MS) => {
  let upstream: OrderedUpstream;
  let gateway: TestGateway;
  beforeAll(async () => {
    upstream = await OrderedUpstream.start();
    gateway = await startGateway({
      gateway: { PIOPIY_URL: upstream.url, CACHE_TTL_MS, RATE_LIMIT_PER_MINUTE: "0" },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  /** Resets the list to these endpoints, and empties the cache. */
  async function begin(order: Order, names: readonly string[]): Promise<void> {
    await gateway.execute('mutation { removeSipEndpoint(input: { username: "nobody" }) { username } }');
    upstream.reset(order, names);
  }

  /** Changes with and without an effect on the count. The new name is near the start in every order except oldest first. */
  const changes: [string, () => void][] = [
    ["a creation", () => upstream.create("a-new")],
    ["a removal", () => upstream.remove("user0002")],
    [
      "a removal and a creation",
      () => {
        upstream.remove("user0002");
        upstream.create("a-new");
      },
    ],
    ["a creation among the rows that were read", () => upstream.create("user0002a")],
    [
      "a removal further down and a creation",
      () => {
        upstream.remove("user0022");
        upstream.create("a-new");
      },
    ],
  ];
  const cases = orders.flatMap((order) =>
    [3, 10, 25].flatMap((first) => changes.map(([title, act]) => ({ order, first, title, act }))),
  );

  it.each(
    cases,
  )("neither skips nor repeats a row, $first per page, in the order $order, after $title", async ({
    order,
    first,
    act,
  }) => {
    await begin(order, numbered(60));
    const walk = new ListWalk(gateway);
    await walk.next(first);
    act();
    await walk.finish(first);
    const lasting = upstream.names.filter((name) => name.startsWith("user") && name.length === 8);
    expect(walk.seen.filter((name) => lasting.includes(name))).toEqual(lasting);
  });

  it.each(
    orders,
  )("neither skips nor repeats a row in one response that includes a cached page, %s", async (order) => {
    await begin(order, numbered(25));
    await readList(gateway, { first: 10 });
    upstream.remove("user0002");
    upstream.create("a-new");
    expect(usernamesOf(await readList(gateway, { first: 50 }))).toEqual(upstream.names);
  });

  it.each(
    orders.flatMap((order) => [0, 1, 2, 3, 4].map((after) => ({ order, after }))),
  )("neither skips nor repeats a row when one is removed and one created after $after upstream requests, $order", async ({
    order,
    after,
  }) => {
    await begin(order, numbered(40));
    upstream.changeAfter(after, () => {
      upstream.remove("user0013");
      upstream.create("a-new");
    });
    const seen = usernamesOf(await readList(gateway, { first: 30 }));
    const lasting = numbered(40).filter((name) => name !== "user0013");
    const some = seen.filter((name) => lasting.includes(name));
    expect(some).toEqual(lasting.slice(0, some.length));
    expect(seen).toHaveLength(30);
  });

  it("costs one upstream request for a page, two for the next page, and every second page twice for more", async () => {
    const cost = async (args: { first: number; after?: string | null }) => {
      upstream.requests.length = 0;
      const { pageInfo } = await readList(gateway, args);
      return { pages: [...upstream.requests].sort(), after: pageInfo.endCursor };
    };
    await begin("oldest first", numbered(60));
    const one = await cost({ first: 10 });
    expect(one.pages).toEqual([1]);
    expect((await cost({ first: 10, after: one.after })).pages).toEqual([1, 2]);
    expect((await cost({ first: 50 })).pages).toEqual([1, 2, 2, 3, 4, 4, 5]);
    await begin("oldest first", numbered(25));
    expect((await cost({ first: 100 })).pages).toEqual([1, 10, 2, 2, 3, 4, 6, 8]);
  });

  it("costs no upstream request for pages that were read together before", async () => {
    if (CACHE_TTL_MS === "0") return;
    await begin("oldest first", numbered(60));
    const walk = async () => {
      upstream.requests.length = 0;
      await new ListWalk(gateway).finish(25);
      return upstream.requests.length;
    };
    expect(await walk()).toBeGreaterThan(0);
    expect(await walk()).toBe(0);
  });

  interface Deed {
    readonly pick: number;
    readonly isRemoval: boolean;
  }
  const deed: fc.Arbitrary<Deed> = fc.record({ pick: fc.nat(), isRemoval: fc.boolean() });
  const step = fc.record({
    first: fc.constantFrom(3, 10, 25),
    between: fc.array(deed, { maxLength: 3 }),
    during: fc.array(deed, { maxLength: 3 }),
    after: fc.nat({ max: 5 }),
  });

  it.each(orders)("never skips or repeats a row that exists all the time, %s", async (order) => {
    let failures = 0;
    let walks = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 60 }),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        async (count, steps) => {
          await begin(order, numbered(count));
          walks++;
          let created = 0;
          const act = ({ pick, isRemoval }: Deed) => {
            const victim = upstream.names[pick % upstream.names.length];
            if (isRemoval && victim) upstream.remove(victim);
            else upstream.create(`user${String(pick % 60).padStart(4, "0")}-${created++}`);
          };
          const seen: string[] = [];
          let after: string | null = null;
          let isWhole = true;
          for (let index = 0, more = true; more; index++) {
            const { first, between, during, after: requests } = steps[index] ?? { first: 25 };
            upstream.changeAfter(requests ?? 0, () => during?.forEach(act));
            const { data, errors }: Awaited<ReturnType<typeof queryList>> = await queryList(gateway, {
              first,
              after,
            });
            if (!data.sipEndpoints) {
              expect(["CURSOR_EXPIRED", "UPSTREAM_UNAVAILABLE"]).toContain(errors?.[0]?.extensions.code);
              failures++;
              isWhole = false;
              break;
            }
            seen.push(...usernamesOf(data.sipEndpoints));
            after = data.sipEndpoints.pageInfo.endCursor;
            more = data.sipEndpoints.pageInfo.hasNextPage;
            between?.forEach(act);
          }
          const lasting = upstream.names.filter((name) => /^user\d{4}$/.test(name));
          const some = seen.filter((name) => lasting.includes(name));
          expect(some).toEqual(isWhole ? lasting : lasting.slice(0, some.length));
        },
      ),
      { seed: 7, numRuns: 12 },
    );
    expect(failures).toBeLessThan(walks / 4);
  });
});
