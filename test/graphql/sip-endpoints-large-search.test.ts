import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import {
  type ListArguments,
  numbered,
  queryList,
  rangePages,
  readList,
  requestedPages,
  usernamesOf,
} from "./list-query.js";
import { change } from "./list-walk.js";

const COUNT = 5000;
/** A busy machine needs longer than the default deadlines for thousands of requests. */
const patient = { PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "200000", CACHE_TTL_MS: "600000" };
const search = (text: string): ListArguments => ({ filter: { username: { contains: text } } });

/** Returns the pages that are requested to read the whole list, in ascending order. */
function scanPages(count: number): number[] {
  const pages = [1];
  for (let first = 1; first * 10 < count; first += 40) {
    pages.push(...rangePages(first, Math.min(first + 40, Math.ceil(count / 10)), count));
  }
  return pages.sort((one, other) => one - other);
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: patient });
});
afterAll(() => gateway.close());

describe("A search in 5,000 endpoints", () => {
  beforeAll(async () => {
    await gateway.reset({ count: COUNT });
    await readList(gateway, search("4999"));
  });

  it("costs 763 upstream requests, of which at most 21 are in flight at a time", async () => {
    expect(await requestedPages(gateway)).toEqual(scanPages(COUNT));
    const requests = await gateway.upstreamRequests();
    expect(requests).toHaveLength(763);
    expect(Math.max(...requests.map(({ concurrent }) => concurrent))).toBeLessThanOrEqual(21);
  });

  it("costs no further upstream request for any other search", async () => {
    const filters = Array.from({ length: 20 }, (_, index) => search(`${index}7`));
    for (const args of filters) {
      const text = String(args.filter?.username?.contains);
      const expected = numbered(COUNT).filter((name) => name.includes(text));
      const list = await readList(gateway, args);
      expect([usernamesOf(list), list.totalCount]).toEqual([expected.slice(0, 10), expected.length]);
    }
    const last = await readList(gateway, { last: 5, orderBy: { field: "USERNAME", direction: "DESC" } });
    expect(usernamesOf(last)).toEqual(numbered(COUNT, 0, 5).reverse());
    expect(await gateway.upstreamRequests()).toHaveLength(763);
  });

  it("serves pages of the list without a filter from the cache", async () => {
    expect(usernamesOf(await readList(gateway, { offset: 3210 }))).toEqual(numbered(COUNT, 3210, 3220));
    expect(await gateway.upstreamRequests()).toHaveLength(763);
  });

  it("retains no memory in many searches", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    const retained = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed / 1e6;
    };
    const searchMany = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        await readList(gateway, search(String(index)));
        await readList(gateway, { ...search(String(index)), orderBy: { field: "USERNAME" } });
      }
    };
    await searchMany(0, 60);
    const before = retained();
    await searchMany(100, 200);
    // The rows of one search have more than 1 MB. The log entries, which the test keeps, are a part of the difference.
    expect(retained() - before).toBeLessThan(10);
  });
});

describe("The cost of a search", () => {
  it.each([
    [COUNT, 762 + 50],
    [20_000, 3049 + 200],
  ])("in %i endpoints is below MAX_COST, and mostly for its upstream requests", async (count, units) => {
    await gateway.reset({ count });
    await change(gateway, ["+new-1", "-new-1"]);
    await gateway.reset({ count });
    const cold = await cost(search("7"));
    const { length } = await gateway.upstreamRequests();
    const warm = await cost(search("8"));
    expect(length).toBe(scanPages(count).length);
    expect(cold - warm).toBe(length - 1);
    expect(cold).toBeLessThan(5000);
    expect(cold - units).toBeLessThan(60);
    expect(warm).toBeLessThan(60 + count / 100);
  });

  it("counts each search of an operation, and the whole operation at most MAX_COST", async () => {
    const fields = Array.from(
      { length: 40 },
      (_, index) => `a${index}: sipEndpoints(filter: { username: { contains: "${index}" } }) { totalCount }`,
    );
    const { errors = [], extensions } = await gateway.execute(`{ ${fields.join(" ")} }`);
    expect(new Set(errors.map((error) => error.extensions.limit))).toEqual(new Set(["MAX_COST"]));
    expect(extensions?.cost?.requested).toBeLessThanOrEqual(5000);
  });

  async function cost(args: ListArguments): Promise<number> {
    const { errors, extensions } = await queryList(gateway, args);
    expect(errors).toBeUndefined();
    return Number(extensions?.cost?.requested);
  }
});

describe("A search that does not finish before the deadline", () => {
  it("returns a retryable error, and its repetition reads only the rest", async () => {
    const hasty = await startGateway({
      gateway: { ...patient, PIOPIY_DEADLINE_MS: "20000", PIOPIY_URL: gateway.piopiyUrl },
    });
    try {
      await gateway.reset({ count: 1000 });
      // The first page and the first 41 pages together.
      const begun = 1 + rangePages(1, 41, 1000).length;
      await gateway.addFault({ operation: "list_sip", kind: "latency", ms: 0, times: begun });
      await gateway.addFault({ operation: "list_sip", kind: "hang", times: 1 });
      const { data, errors } = await queryList(hasty, search("7"));
      expect(data).toEqual({ sipEndpoints: null });
      expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_TIMEOUT", retryable: true } }]);
      const { length } = await gateway.upstreamRequests();
      expect(await readList(hasty, search("7"))).toMatchObject({ totalCount: 271, complete: true });
      const again = (await gateway.upstreamRequests()).slice(length).map(({ page }) => Number(page));
      expect(again.sort((one, other) => one - other)).toEqual([
        ...[...rangePages(41, 81, 1000), ...rangePages(81, 100, 1000)].sort((one, other) => one - other),
      ]);
    } finally {
      await hasty.close();
    }
  });
});
