import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { encodeCursor, fingerprint } from "../../src/piopiy/pagination/cursor.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type ListArguments, queryList, readList } from "./list-query.js";

const base64 = (text: string) => Buffer.from(text).toString("base64url");
/** Returns a text with the fingerprint that a cursor has. */
const sealed = (text: string) => base64(text + fingerprint(text));
/** The cursor of the first row. */
const position = encodeCursor({ position: 0, total: 25, remembered: [fingerprint("user0001")] });

describe("Query.sipEndpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ count: 25 }));

  async function expectRejection(args: ListArguments, argumentName: string): Promise<void> {
    const { status, data, errors } = await queryList(gateway, args);
    expect(status).toBe(200);
    expect(data).toEqual({ sipEndpoints: null });
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(`\`${argumentName}\``),
        path: ["sipEndpoints"],
        extensions: { code: "BAD_USER_INPUT", retryable: false, argumentName, requestId: expect.any(String) },
      }),
    ]);
  }

  it.each([
    [{ first: -1 }, "first"],
    [{ first: 101 }, "first"],
    [{ first: 1_000_000 }, "first"],
    [{ first: -2_147_483_648 }, "first"],
    [{ offset: -1 }, "offset"],
    [{ offset: -2_147_483_648 }, "offset"],
    [{ first: -1, offset: -1 }, "first"],
    [{ after: "" }, "after"],
    [{ after: "abc" }, "after"],
    [{ after: "user0010" }, "after"],
    [{ after: "10" }, "after"],
    [{ after: "\u0000😀" }, "after"],
    [{ after: base64("arrayconnection:9") }, "after"],
    [{ after: base64('{"id":10}') }, "after"],
    [{ after: base64("sip1:9") }, "after"],
    [{ after: base64("sip1:9:abcdefgh") }, "after"],
    [{ after: base64("sip1:9:abcdefgh:abcdefgh") }, "after"],
    [{ after: base64('sip-username:"alice":') }, "after"],
    [{ after: base64('sip-username:"alice":abcdefgh') }, "after"],
    [{ after: sealed("sip-username:alice:") }, "after"],
    [{ after: sealed("sip-username:1:") }, "after"],
    [{ after: sealed('sip-username:"alice":') }, "after"],
    [{ after: sealed('sip-username:"alice":'), last: 1 }, "after"],
    [{ before: "" }, "before"],
    [{ before: "abc" }, "before"],
    [{ before: "abc", last: 10 }, "before"],
    [{ before: sealed('sip-username:"alice":') }, "before"],
    [{ last: -1 }, "last"],
    [{ last: 101 }, "last"],
    [{ last: -2_147_483_648 }, "last"],
    [{ first: 1, last: 1 }, "last"],
    [{ first: 0, last: 0 }, "last"],
    [{ first: 101, last: 1 }, "first"],
    [{ first: 1, last: 101 }, "last"],
    [{ after: position, before: position }, "before"],
    [{ after: position, before: position, last: 3 }, "before"],
    [{ before: position, offset: 0 }, "before"],
    [{ last: 10, before: position, offset: 10 }, "before"],
    [{ last: 10, after: position, offset: 10 }, "after"],
    [{ last: 10, offset: -1 }, "offset"],
    [{ after: position, orderBy: { field: "USERNAME" } }, "after"],
    [{ before: position, last: 1, orderBy: { field: "USERNAME" } }, "before"],
    [{ after: position, filter: { username: { equals: "user0001" } } }, "after"],
    [{ after: sealed('sip-username:"user0001":'), filter: { username: { contains: "user" } } }, "after"],
  ] as [ListArguments, string][])("rejects %j without an upstream request", async (args, argumentName) => {
    await expectRejection(args, argumentName);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each<[string, ListArguments, string]>([
    [
      "`last` with `first`",
      { first: 1, last: 1 },
      "`last` cannot be combined with `first`. Use `first` to read from the start of the list, or `last` to read from its end.",
    ],
    [
      "`before` with `after`",
      { after: position, before: position },
      "`before` cannot be combined with `after`. Use `after` to read the next page, or `before` to read the previous page.",
    ],
    [
      "`before` with `offset`",
      { before: position, offset: 1 },
      "`before` cannot be combined with `offset`. Use `before` to read the previous page, or `offset` to start at a position.",
    ],
    [
      "an invalid `before`",
      { before: "abc" },
      "`before` must be a cursor of this gateway, such as `pageInfo.startCursor` of the next page. Cursors of version 0.1 are no longer valid.",
    ],
    [
      "a cursor of a list in another order",
      { after: position, orderBy: { field: "USERNAME" } },
      "`after` must be a cursor of a list with the same `filter` and `orderBy` (got a cursor of a list in another order). Start again without a cursor.",
    ],
  ])("says what is allowed, for %s", async (_, args, message) => {
    const { errors } = await queryList(gateway, args);
    expect(errors?.map((error) => error.message)).toEqual([message]);
  });

  it("rejects a cursor of 50,000 characters without an upstream request", async () => {
    await expectRejection({ after: "A".repeat(50_000) }, "after");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["without a number of rows", "sip1:9:abcdefgh:"],
    ["with a number of rows", "sip1:9/25:abcdefgh:"],
  ])("rejects a cursor of version 0.1 %s, and says what to do", async (_, text) => {
    const after = base64(text + fingerprint(text));
    const { errors } = await queryList(gateway, { after });
    expect(errors).toMatchObject([
      {
        message:
          "`after` must be a cursor of this gateway, such as `pageInfo.endCursor` of the previous page. Cursors of version 0.1 are no longer valid.",
        extensions: { code: "BAD_USER_INPUT", argumentName: "after", retryable: false },
      },
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([0, 10])("rejects a cursor together with offset %i", async (offset) => {
    const { pageInfo } = await readList(gateway, {});
    await gateway.reset({ count: 25 });
    await expectRejection({ after: pageInfo.endCursor, offset }, "after");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("rejects a cursor with any character changed, removed or added", async () => {
    const { pageInfo } = await readList(gateway, { first: 3 });
    const cursor = String(pageInfo.endCursor);
    await gateway.reset({ count: 25 });
    for (let place = 0; place < cursor.length; place++) {
      const [before, after] = [cursor.slice(0, place), cursor.slice(place + 1)];
      const other = cursor[place] === "A" ? "B" : "A";
      await expectRejection({ after: before + other + after }, "after");
      await expectRejection({ after: before + after }, "after");
      await expectRejection({ after: `${before}A${cursor.slice(place)}` }, "after");
    }
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each(["=", "==", " ", "\n", "A", "."])("rejects a cursor with %j at its end", async (tail) => {
    const { pageInfo } = await readList(gateway, { first: 4 });
    await expectRejection({ after: `${pageInfo.endCursor}${tail}` }, "after");
  });

  it("does not reveal usernames in a cursor", async () => {
    const { pageInfo } = await readList(gateway, { first: 10 });
    const text = Buffer.from(String(pageInfo.endCursor), "base64url").toString();
    expect(text).not.toContain("user");
  });

  it.each([
    ['{ sipEndpoints(first: "10") { totalCount } }', "GRAPHQL_VALIDATION_FAILED"],
    ["{ sipEndpoints(first: 2147483648) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"],
    ["{ sipEndpoints(offset: 1.5) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"],
    ["{ sipEndpoints(after: 9) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"],
  ])("is not resolved for %s, which GraphQL rejects", async (query, code) => {
    const { errors } = await gateway.execute(query);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["omitted", "{ sipEndpoints { nodes { username } } }", {}],
    ["null", "{ sipEndpoints(first: null) { nodes { username } } }", {}],
    [
      "a variable that is null",
      "query ($n: Int) { sipEndpoints(first: $n) { nodes { username } } }",
      { n: null },
    ],
    ["null, and `last` too", "{ sipEndpoints(first: null, last: null) { nodes { username } } }", {}],
    ["a variable that is omitted", "query ($n: Int) { sipEndpoints(first: $n) { nodes { username } } }", {}],
  ])("returns ten rows when `first` is %s", async (_, query, variables) => {
    const { data, errors } = await gateway.execute<{ sipEndpoints: { nodes: unknown[] } }>(query, variables);
    expect(errors).toBeUndefined();
    expect(data.sipEndpoints.nodes).toHaveLength(10);
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });

  it.each([
    [{ first: 0 }, true, false],
    [{ first: 0, offset: 24 }, true, true],
    [{ first: 0, offset: 25 }, false, true],
    [{ first: 0, offset: 1000 }, false, true],
  ])("returns no rows for %j, but the number of all rows, from one upstream request", async (args, next, previous) => {
    const { edges, pageInfo, totalCount } = await readList(gateway, args);
    expect([edges, totalCount]).toEqual([[], 25]);
    expect(pageInfo).toMatchObject({ hasNextPage: next, hasPreviousPage: previous, endCursor: null });
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });

  it("returns no rows for a cursor with `first: 0`", async () => {
    const { pageInfo } = await readList(gateway, { first: 10 });
    const page = await readList(gateway, { first: 0, after: pageInfo.endCursor });
    expect(page).toMatchObject({
      edges: [],
      totalCount: 25,
      pageInfo: { hasNextPage: true, hasPreviousPage: true },
    });
  });
});
