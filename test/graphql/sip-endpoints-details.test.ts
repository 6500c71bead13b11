import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { abandon } from "../support/gateway/abandoned-operations.js";
import { type GraphqlResponse, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { numbered } from "./list-query.js";
import { OrderedUpstream, orders } from "./ordered-upstream.js";

interface Detailed {
  sipEndpoints: {
    nodes: { username: string; sipUri: string }[];
    pageInfo: { endCursor: string | null };
  } | null;
}

const QUERY = `query ($first: Int, $after: String, $offset: Int, $last: Int, $skipped: Boolean = false) {
  sipEndpoints(first: $first, after: $after, offset: $offset, last: $last) {
    nodes { username ...Details @skip(if: $skipped) }
    pageInfo { endCursor }
  }
}
fragment Details on SipEndpoint { ... { sipUri } }`;

/** The rows' details are read by \`get_sip\`. */
describe("A list with details, over several of PIOPIY's pages", () => {
  let upstream: OrderedUpstream;
  let gateway: TestGateway;
  beforeAll(async () => {
    upstream = await OrderedUpstream.start();
    gateway = await startGateway({
      gateway: {
        PIOPIY_URL: upstream.url,
        PIOPIY_MAX_CONCURRENCY: "100",
        CACHE_TTL_MS: "0",
        RATE_LIMIT_PER_MINUTE: "0",
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });
  beforeEach(() => upstream.reset("oldest first", numbered(60)));

  function query(args: Record<string, unknown>): Promise<GraphqlResponse<Detailed>> {
    return gateway.execute(QUERY, args);
  }

  async function read(args: Record<string, unknown>): Promise<string[]> {
    const { data, errors } = await query(args);
    expect(errors).toBeUndefined();
    const nodes = data.sipEndpoints?.nodes ?? [];
    for (const { username, sipUri } of nodes) expect(sipUri).toBe(`sip:${username}@sbc.example.com`);
    return nodes.map(({ username }) => username);
  }

  const pages = () => upstream.requests.filter((request) => request !== "get_sip").sort();
  const details = () => upstream.requests.filter((request) => request === "get_sip").length;

  it("costs two round trips: the second one has the second reads of the pages and the reads of the rows", async () => {
    upstream.hold();
    const response = read({ first: 50 });
    await until(() => upstream.requests.length === 5);
    expect(pages()).toEqual([1, 2, 3, 4, 5]);
    upstream.release();
    await until(() => upstream.requests.length === 60);
    upstream.release(true);
    expect(await response).toEqual(numbered(50));
    expect(pages()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(details()).toBe(50);
  });

  it("costs two round trips after a cursor at the end of a page, and reads no page twice", async () => {
    const { data } = await query({ first: 10 });
    upstream.reset("oldest first", numbered(60));
    upstream.hold();
    const response = read({ first: 10, after: data.sipEndpoints?.pageInfo.endCursor });
    await until(() => upstream.requests.length === 1);
    upstream.release();
    await until(() => upstream.requests.length === 12);
    upstream.release(true);
    expect(await response).toEqual(numbered(20, 10));
    expect(pages()).toEqual([1, 2]);
  });

  it.each([
    ["at an offset", { first: 13, offset: 5 }, numbered(18, 5), [1, 1, 2, 2]],
    ["at the end of the list", { last: 12 }, numbered(60, 48), [1, 5, 5, 6, 6]],
    [
      "longer than the list",
      { first: 100 },
      numbered(60),
      [...numbered(6).flatMap((_, n) => [n + 1, n + 1]), 7, 8, 9, 10],
    ],
  ])("reads the details of the returned rows only, %s", async (_, args, usernames, numbers) => {
    expect(await read(args)).toEqual(usernames);
    expect(
      pages()
        .map(Number)
        .sort((one, other) => one - other),
    ).toEqual(numbers);
    expect(details()).toBe(usernames.length);
  });

  it("reads only every second page twice if a directive excludes the details", async () => {
    const { data } = await query({ first: 30, skipped: true });
    expect(data.sipEndpoints?.nodes).toEqual(numbered(30).map((username) => ({ username })));
    expect(pages()).toEqual([1, 2, 2, 3]);
    expect(details()).toBe(0);
  });

  it.each(
    orders.flatMap((order) => [0, 1, 2, 3, 4, 5, 6].map((after) => ({ order, after }))),
  )("neither skips nor repeats a row when one is removed and one created after $after upstream requests, $order", async ({
    order,
    after,
  }) => {
    upstream.reset(order, numbered(40));
    upstream.changeAfter(after, () => {
      upstream.remove("user0013");
      upstream.create("a-new");
    });
    const seen = await read({ first: 30 });
    const lasting = numbered(40).filter((name) => name !== "user0013");
    const some = seen.filter((name) => lasting.includes(name));
    expect(some).toEqual(lasting.slice(0, some.length));
    expect(seen).toHaveLength(30);
    // One change costs one more read of the pages.
    expect(pages().length).toBeLessThanOrEqual(9);
  });

  it.each(orders)("never skips or repeats a row that exists all the time, %s", async (order) => {
    const deed = fc.record({ pick: fc.nat(), isRemoval: fc.boolean(), after: fc.nat({ max: 12 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 15, max: 60 }),
        fc.integer({ min: 11, max: 45 }),
        fc.nat({ max: 9 }),
        fc.array(deed, { minLength: 1, maxLength: 4 }),
        async (count, first, offset, deeds) => {
          upstream.reset(order, numbered(count));
          const next = (index: number) => {
            const each = deeds[index];
            if (!each) return;
            upstream.changeAfter(each.after, () => {
              const victim = upstream.names[each.pick % upstream.names.length];
              if (each.isRemoval && victim) upstream.remove(victim);
              else upstream.create(`user${String(each.pick % 60).padStart(4, "0")}-${index}`);
              next(index + 1);
            });
          };
          next(0);
          const { data } = await query({ first, offset });
          const seen = data.sipEndpoints?.nodes.map(({ username }) => username) ?? [];
          const lasting = upstream.names.filter((name) => /^user\d{4}$/.test(name));
          const some = seen.filter((name) => lasting.includes(name));
          const from = lasting.indexOf(some[0] ?? "");
          expect(some).toEqual(lasting.slice(Math.max(0, from), Math.max(0, from) + some.length));
        },
      ),
      { seed: 11, numRuns: 25 },
    );
  });

  it("reads no details for a client that has disconnected, while another client waits for the same pages", async () => {
    upstream.hold();
    let other: Promise<GraphqlResponse<Detailed>> | undefined;
    await abandon(
      gateway,
      QUERY,
      () => {
        const isSent = upstream.requests.length === 3;
        if (isSent) other ??= query({ first: 30, skipped: true });
        return isSent;
      },
      { first: 30 },
    );
    upstream.release(true);
    const response = await other;
    expect(response?.data.sipEndpoints?.nodes).toHaveLength(30);
    expect(details()).toBe(0);
  });
});
