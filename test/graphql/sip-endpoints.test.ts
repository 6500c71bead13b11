import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, rangePages, readList, requestedPages, usernamesOf } from "./list-query.js";

const counts = [0, 1, 9, 10, 11, 25, 100, 101];
const sizes = [1, 10, 25, 100];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

describe("The first page of Query.sipEndpoints", () => {
  const cases = counts.flatMap((count) => sizes.map((first) => ({ count, first })));

  it.each(cases)("has the first $first of $count endpoints", async ({ count, first }) => {
    await gateway.reset({ count });
    const list = await readList(gateway, { first });
    expect(usernamesOf(list)).toEqual(numbered(count, 0, first));
    expect(list.totalCount).toBe(count);
    expect(list.pageInfo).toEqual({
      hasNextPage: count > first,
      hasPreviousPage: false,
      startCursor: list.edges.at(0)?.cursor ?? null,
      endCursor: list.edges.at(-1)?.cursor ?? null,
    });
    expect(await requestedPages(gateway)).toEqual(rangePages(1, Math.ceil(first / 10), count));
  });

  it("has ten rows by default", async () => {
    await gateway.reset({ count: 25 });
    const { data } = await gateway.execute<{ sipEndpoints: { nodes: { username: string }[] } }>(
      "{ sipEndpoints { nodes { username } } }",
    );
    expect(data.sipEndpoints.nodes.map(({ username }) => username)).toEqual(numbered(10));
    expect(await requestedPages(gateway)).toEqual([1]);
  });

  it("has a different cursor for each row", async () => {
    await gateway.reset({ count: 100 });
    const { edges } = await readList(gateway, { first: 100 });
    expect(new Set(edges.map(({ cursor }) => cursor)).size).toBe(100);
  });

  it("requests PIOPIY's pages in parallel", async () => {
    await gateway.reset({ count: 100 });
    await gateway.addFault({ operation: "list_sip", kind: "latency", ms: 1000, times: 5 });
    await readList(gateway, { first: 50 });
    const requests = await gateway.upstreamRequests();
    expect(Math.max(...requests.map(({ concurrent }) => concurrent))).toBe(3);
  });

  it("costs one upstream request when one operation selects it several times", async () => {
    await gateway.reset({ count: 25 });
    const { errors } = await gateway.execute(
      `{ a: sipEndpoints { totalCount } b: sipEndpoints { nodes { username } }
         c: sipEndpoints(first: 25) { nodes { username } } }`,
    );
    expect(errors).toBeUndefined();
    expect(await requestedPages(gateway)).toEqual([1, ...rangePages(1, 3, 25)]);
  });
});

describe("Query.sipEndpoints at an offset", () => {
  beforeEach(() => gateway.reset({ count: 101 }));

  it.each([
    { offset: 0, first: 10, from: 1, to: 1 },
    { offset: 10, first: 10, from: 2, to: 2 },
    { offset: 90, first: 10, from: 10, to: 10 },
    { offset: 100, first: 10, from: 11, to: 11 },
    { offset: 5, first: 10, from: 1, to: 2 },
    { offset: 95, first: 10, from: 10, to: 11 },
    { offset: 9, first: 1, from: 1, to: 1 },
    { offset: 10, first: 1, from: 2, to: 2 },
    { offset: 9, first: 2, from: 1, to: 2 },
    { offset: 20, first: 25, from: 3, to: 5 },
    { offset: 28, first: 25, from: 3, to: 6 },
    { offset: 1, first: 100, from: 1, to: 11 },
  ])("returns $first rows from $offset with pages $from to $to", async ({ offset, first, from, to }) => {
    const list = await readList(gateway, { offset, first });
    expect(usernamesOf(list)).toEqual(numbered(101, offset, offset + first));
    expect(list.totalCount).toBe(101);
    expect(list.pageInfo).toMatchObject({
      hasNextPage: offset + first < 101,
      hasPreviousPage: offset > 0,
    });
    expect(await requestedPages(gateway)).toEqual(rangePages(from, to, 101));
  });

  it.each([
    101, 102, 110, 5000, 2_147_483_647,
  ])("returns an empty page at %i, past the end", async (offset) => {
    expect(await readList(gateway, { offset })).toEqual({
      totalCount: 101,
      complete: true,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  it("has no previous page in an empty account", async () => {
    await gateway.reset({ count: 0 });
    const { pageInfo } = await readList(gateway, { offset: 10 });
    expect(pageInfo.hasPreviousPage).toBe(false);
  });

  it("treats null as an omitted offset or cursor", async () => {
    const list = await readList(gateway, { offset: null, after: null });
    expect(usernamesOf(list)).toEqual(numbered(10));
  });

  it("returns cursors for the next page", async () => {
    const { pageInfo } = await readList(gateway, { offset: 37, first: 3 });
    const list = await readList(gateway, { after: pageInfo.endCursor, first: 5 });
    expect(usernamesOf(list)).toEqual(numbered(101, 40, 45));
  });
});
