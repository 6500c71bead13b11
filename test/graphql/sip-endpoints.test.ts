import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { askedPages, numbered, readList, usernamesOf, windowPages } from "./list-query.js";

const counts = [0, 1, 9, 10, 11, 25, 100, 101];
const sizes = [1, 10, 25, 100];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

describe("The first page of Query.sipEndpoints", () => {
  const cases = counts.flatMap((count) => sizes.map((first) => ({ count, first })));

  it.each(cases)("holds the first $first of $count endpoints", async ({ count, first }) => {
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
    expect(await askedPages(gateway)).toEqual(windowPages(1, Math.ceil(first / 10), count));
  });

  it("has ten rows unless it is told otherwise", async () => {
    await gateway.reset({ count: 25 });
    const { data } = await gateway.ask<{ sipEndpoints: { nodes: { username: string }[] } }>(
      "{ sipEndpoints { nodes { username } } }",
    );
    expect(data.sipEndpoints.nodes.map(({ username }) => username)).toEqual(numbered(10));
    expect(await askedPages(gateway)).toEqual([1]);
  });

  it("has a cursor of its own for each row", async () => {
    await gateway.reset({ count: 100 });
    const { edges } = await readList(gateway, { first: 100 });
    expect(new Set(edges.map(({ cursor }) => cursor)).size).toBe(100);
  });

  it("asks for PIOPIY's pages side by side", async () => {
    await gateway.reset({ count: 100 });
    await gateway.fail({ operation: "list_sip", kind: "latency", ms: 50, times: 5 });
    await readList(gateway, { first: 50 });
    const calls = await gateway.calls();
    expect(Math.max(...calls.map(({ concurrent }) => concurrent))).toBe(3);
  });

  it("is asked from PIOPIY once, however often it stands in one operation", async () => {
    await gateway.reset({ count: 25 });
    const { errors } = await gateway.ask(
      `{ a: sipEndpoints { totalCount } b: sipEndpoints { nodes { username } }
         c: sipEndpoints(first: 25) { nodes { username } } }`,
    );
    expect(errors).toBeUndefined();
    expect(await askedPages(gateway)).toEqual([1, ...windowPages(1, 3, 25)]);
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
  ])("answers $first rows from $offset by pages $from to $to", async ({ offset, first, from, to }) => {
    const list = await readList(gateway, { offset, first });
    expect(usernamesOf(list)).toEqual(numbered(101, offset, offset + first));
    expect(list.totalCount).toBe(101);
    expect(list.pageInfo).toMatchObject({
      hasNextPage: offset + first < 101,
      hasPreviousPage: offset > 0,
    });
    expect(await askedPages(gateway)).toEqual(windowPages(from, to, 101));
  });

  it.each([
    101, 102, 110, 5000, 2_147_483_647,
  ])("answers an empty page at %i, past the end", async (offset) => {
    expect(await readList(gateway, { offset })).toEqual({
      totalCount: 101,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  it("tells of no page before in an empty account", async () => {
    await gateway.reset({ count: 0 });
    const { pageInfo } = await readList(gateway, { offset: 10 });
    expect(pageInfo.hasPreviousPage).toBe(false);
  });

  it("takes null for an offset or a cursor that is left out", async () => {
    const list = await readList(gateway, { offset: null, after: null });
    expect(usernamesOf(list)).toEqual(numbered(10));
  });

  it("gives cursors to walk on from", async () => {
    const { pageInfo } = await readList(gateway, { offset: 37, first: 3 });
    const list = await readList(gateway, { after: pageInfo.endCursor, first: 5 });
    expect(usernamesOf(list)).toEqual(numbered(101, 40, 45));
  });
});
