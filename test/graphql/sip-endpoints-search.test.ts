import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { send, startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import {
  type ListArguments,
  numbered,
  queryList,
  rangePages,
  readList,
  requestedPages,
  type UsernameFilter,
  usernamesOf,
} from "./list-query.js";
import { change } from "./list-walk.js";

const names = [
  "Sales-1",
  "sales-2",
  "bob",
  "SALES-3",
  "Straße",
  "STRASSE",
  "alice",
  "élan",
  "ÉCOLE",
  "sal",
  "😀",
];
const byUsername = { field: "USERNAME" } as const;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const restart = (usernames: readonly string[]) =>
  gateway.reset({ endpoints: usernames.map((username) => ({ username })) });

describe("Query.sipEndpoints with a filter", () => {
  beforeEach(() => restart(names));

  it.each<[UsernameFilter, string[]]>([
    [{ contains: "ALE" }, ["Sales-1", "sales-2", "SALES-3"]],
    [{ contains: "-" }, ["Sales-1", "sales-2", "SALES-3"]],
    [{ contains: "école" }, ["ÉCOLE"]],
    [{ contains: "ss" }, ["STRASSE"]],
    [{ contains: "ẞ" }, ["Straße"]],
    [{ contains: "😀" }, ["😀"]],
    [{ contains: ".*" }, []],
    [{ contains: "\\" }, []],
    [{ startsWith: "sal" }, ["Sales-1", "sales-2", "SALES-3", "sal"]],
    [{ startsWith: "É" }, ["élan", "ÉCOLE"]],
    [{ startsWith: "ales" }, []],
    [{ startsWith: "s", contains: "E" }, ["Sales-1", "sales-2", "SALES-3", "Straße", "STRASSE"]],
    [{ in: ["bob", "alice", "bob", "nobody"] }, ["bob", "alice"]],
    [{ in: ["BOB", "Alice"] }, []],
    [{ in: ["sales-2", "SALES-3", "bob"], contains: "sales" }, ["sales-2", "SALES-3"]],
    [{ in: [] }, []],
    [{ equals: "bob" }, ["bob"]],
    [{ equals: "BOB" }, []],
    [{ equals: "bob", in: ["bob", "alice"] }, ["bob"]],
    [{ equals: "bob", in: ["alice"] }, []],
    [{ equals: "bob", contains: "al" }, []],
    [{ equals: "sales-2", startsWith: "SALES" }, ["sales-2"]],
    [{ contains: null, startsWith: "b", in: null, equals: null }, ["bob"]],
  ])("%j returns what matches, in the order of the list", async (username, expected) => {
    const list = await readList(gateway, { first: 100, filter: { username } });
    expect(usernamesOf(list)).toEqual(expected);
    expect(list).toMatchObject({
      totalCount: expected.length,
      complete: true,
      pageInfo: { hasNextPage: false, hasPreviousPage: false },
    });
  });

  it.each([
    null,
    {},
    { username: null },
    { username: {} },
    { username: { contains: "" } },
    { username: { startsWith: "", contains: null } },
  ] as NonNullable<
    ListArguments["filter"]
  >[])("%j returns all endpoints, with the same upstream requests as without it", async (filter) => {
    const list = await readList(gateway, { filter });
    expect([usernamesOf(list), list.totalCount]).toEqual([names.slice(0, 10), names.length]);
    expect(await requestedPages(gateway)).toEqual([1]);
    await readList(gateway, { filter, after: list.pageInfo.endCursor });
  });

  it.each<[string, UsernameFilter, string]>([
    [
      "10,000 letters",
      { contains: "x".repeat(10_000) },
      "`filter` is invalid: `username.contains` must have at most 256 bytes (got 10000). Use a shorter text.",
    ],
    [
      "257 bytes in 129 letters",
      { startsWith: `${"é".repeat(128)}x` },
      "`filter` is invalid: `username.startsWith` must have at most 256 bytes (got 257). Use a shorter text.",
    ],
    [
      "a long username",
      { equals: "x".repeat(257) },
      "`filter` is invalid: `username.equals` must be a string of 1 to 256 bytes of UTF-8 without control characters (got 257 bytes).",
    ],
    [
      "an invalid username in a list",
      { in: ["alice", "\u0007"] },
      "`filter` is invalid: `username.in[1]` must be a string of 1 to 256 bytes of UTF-8 without control characters (got a control character).",
    ],
    [
      "201 usernames",
      { in: numbered(201) },
      "`filter` is invalid: `username.in` must have at most 200 usernames (got 201). Use several queries.",
    ],
  ])("of %s is rejected without an upstream request", async (_, username, message) => {
    const { data, errors } = await queryList(gateway, { filter: { username } });
    expect(data).toEqual({ sipEndpoints: null });
    expect(errors).toMatchObject([
      {
        message,
        path: ["sipEndpoints"],
        extensions: { code: "BAD_USER_INPUT", argumentName: "filter", retryable: false },
      },
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("accepts values of 256 bytes, and 200 usernames", async () => {
    const long = "é".repeat(128);
    await restart([long, ...numbered(200)]);
    for (const username of [{ contains: long.toUpperCase() }, { startsWith: long }, { equals: long }]) {
      expect(usernamesOf(await readList(gateway, { filter: { username } }))).toEqual([long]);
    }
    const many = await readList(gateway, { first: 100, filter: { username: { in: numbered(200) } } });
    expect([usernamesOf(many), many.totalCount]).toEqual([numbered(100), 200]);
  });

  it("returns pages in both directions, and positions in the filtered list", async () => {
    await gateway.reset({ count: 100 });
    const filter = { username: { contains: "5" } };
    const all = numbered(100).filter((name) => name.includes("5"));
    const read = (args: ListArguments) => readList(gateway, { filter, ...args });
    const first = await read({ first: 7 });
    const second = await read({ first: 7, after: first.pageInfo.endCursor });
    const third = await read({ first: 7, after: second.pageInfo.endCursor });
    expect([first, second, third].map(usernamesOf)).toEqual([
      all.slice(0, 7),
      all.slice(7, 14),
      all.slice(14),
    ]);
    const again = await read({ last: 7, before: third.pageInfo.startCursor });
    expect(again).toEqual(second);
    expect(usernamesOf(await read({ last: 3 }))).toEqual(all.slice(-3));
    expect(usernamesOf(await read({ first: 3, offset: 5 }))).toEqual(all.slice(5, 8));
    expect(usernamesOf(await read({ last: 30, after: first.pageInfo.endCursor }))).toEqual(all.slice(7));
    expect(usernamesOf(await read({ first: 30, before: second.pageInfo.startCursor }))).toEqual(
      all.slice(0, 7),
    );
    expect(
      [first, second, third].map(({ pageInfo }) => [pageInfo.hasPreviousPage, pageInfo.hasNextPage]),
    ).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
    expect(await read({ offset: 1000 })).toMatchObject({
      edges: [],
      totalCount: 19,
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
    expect(await read({ first: 0 })).toMatchObject({ edges: [], pageInfo: { hasNextPage: true } });
  });

  it("accepts the cursors of the list without a filter", async () => {
    await gateway.reset({ count: 30 });
    const { pageInfo } = await readList(gateway, { first: 12 });
    const list = await readList(gateway, {
      after: pageInfo.endCursor,
      filter: { username: { contains: "1" } },
    });
    expect(usernamesOf(list)).toEqual(numbered(30, 12).filter((name) => name.includes("1")));
  });

  it("returns CURSOR_EXPIRED when the rows of the cursor are removed", async () => {
    await gateway.reset({ count: 30 });
    const filter = { username: { contains: "1" } };
    const { pageInfo } = await readList(gateway, { first: 2, filter });
    await restart(numbered(30, 15));
    const { errors } = await queryList(gateway, { after: pageInfo.endCursor, filter });
    expect(errors).toMatchObject([{ extensions: { code: "CURSOR_EXPIRED", retryable: false } }]);
  });
});

describe("Query.sipEndpoints with an order", () => {
  const ascending = [
    "alice",
    "bob",
    "sal",
    "Sales-1",
    "sales-2",
    "SALES-3",
    "STRASSE",
    "Straße",
    "ÉCOLE",
    "élan",
    "😀",
  ];
  beforeEach(() => restart(names));

  it.each<[ListArguments, string[]]>([
    [{ orderBy: byUsername }, ascending],
    [{ orderBy: { ...byUsername, direction: "ASC" } }, ascending],
    [{ orderBy: { ...byUsername, direction: "DESC" } }, ascending.toReversed()],
    [
      { orderBy: byUsername, filter: { username: { startsWith: "SAL" } } },
      ["sal", "Sales-1", "sales-2", "SALES-3"],
    ],
    [{ orderBy: byUsername, filter: { username: { in: ["bob", "alice"] } } }, ["alice", "bob"]],
    [
      { orderBy: { ...byUsername, direction: "DESC" }, filter: { username: { in: ["alice", "no", "bob"] } } },
      ["bob", "alice"],
    ],
  ])("%j is ordered by the code points of the name with folded case", async (args, expected) => {
    const list = await readList(gateway, { first: 100, ...args });
    expect([usernamesOf(list), list.totalCount, list.complete]).toEqual([expected, expected.length, true]);
  });

  it.each(["ASC", "DESC"] as const)("%s returns pages in both directions", async (direction) => {
    const orderBy = { ...byUsername, direction };
    const all = direction === "ASC" ? ascending : ascending.toReversed();
    const first = await readList(gateway, { first: 4, orderBy });
    const second = await readList(gateway, { first: 4, orderBy, after: first.pageInfo.endCursor });
    const last = await readList(gateway, { last: 3, orderBy });
    const before = await readList(gateway, { last: 4, orderBy, before: last.pageInfo.startCursor });
    expect([first, second, last].map(usernamesOf)).toEqual([all.slice(0, 4), all.slice(4, 8), all.slice(8)]);
    expect(before).toEqual(second);
    expect(usernamesOf(await readList(gateway, { first: 2, offset: 3, orderBy }))).toEqual(all.slice(3, 5));
  });

  it("continues with a cursor whose endpoint and all its neighbors are removed", async () => {
    const { pageInfo } = await readList(gateway, { first: 4, orderBy: byUsername });
    await restart(["zoe", "STRASSE", "alice", "sales-4"]);
    const list = await readList(gateway, { orderBy: byUsername, after: pageInfo.endCursor });
    expect(usernamesOf(list)).toEqual(["sales-4", "STRASSE", "zoe"]);
  });

  it("returns each name once, also if names differ only in unpaired surrogates", async () => {
    const upstream = await startBrokenUpstream();
    const all = ["\ud801", "\ud800", "a", "\ufffd"];
    const list = { count: all.length, rows: all.map((username) => ({ username })) };
    upstream.respond((response) => send(response, { body: { code: 200, list } }));
    const other = await startGateway({ gateway: { PIOPIY_URL: upstream.url } });
    try {
      const seen: string[] = [];
      for (let after: string | null = null; seen.length <= all.length; ) {
        const { edges, pageInfo } = await readList(other, { first: 1, after, orderBy: byUsername });
        seen.push(...edges.map(({ node }) => node.username));
        after = pageInfo.endCursor;
        if (!pageInfo.hasNextPage) break;
      }
      expect(seen.toSorted()).toEqual(all.toSorted());
    } finally {
      await other.close();
      await upstream.close();
    }
  });
});

describe("The upstream requests of a search", () => {
  it.each([
    [1, [1]],
    [10, [1]],
    [11, [1, 1, 2, 2]],
    [25, [1, ...rangePages(1, 3, 25)]],
    [410, [1, ...rangePages(1, 41, 410)]],
    [411, [1, ...rangePages(1, 41, 411), ...rangePages(41, 42, 411)]],
  ])("are for the list of %i endpoints the first page, and all pages joined", async (count, pages) => {
    await gateway.reset({ count });
    const list = await readList(gateway, { first: 100, filter: { username: { contains: "1" } } });
    expect(usernamesOf(list)).toEqual(
      numbered(count)
        .filter((name) => name.includes("1"))
        .slice(0, 100),
    );
    expect(await requestedPages(gateway)).toEqual(pages.toSorted((one, other) => one - other));
  });

  it.each<[string, ListArguments, (number | string)[]]>([
    ["`equals`", { filter: { username: { equals: "user0900" } } }, ["get_sip"]],
    ["`equals` of no endpoint", { filter: { username: { equals: "nobody" } } }, ["get_sip"]],
    [
      "`equals` with a part that does not match",
      { filter: { username: { equals: "user0900", contains: "x" } } },
      [],
    ],
    ["`in` with one name", { filter: { username: { in: ["user0900"] } } }, ["get_sip"]],
    ["`in` without names", { filter: { username: { in: [] } } }, []],
    [
      "`in` with an order",
      { orderBy: byUsername, filter: { username: { in: ["user0900", "user0001"] } } },
      [1, "get_sip", "get_sip"],
    ],
  ])("are few for %s in a list of 1,000 endpoints", async (_, args, requests) => {
    await gateway.reset({ count: 1000 });
    const { complete } = await readList(gateway, args);
    expect(complete).toBe(true);
    expect((await requestedPages(gateway)).sort()).toEqual(requests.sort());
  });

  it("are for the list, if `in` with an order has more names than the list needs requests", async () => {
    await gateway.reset({ count: 20 });
    const username = { in: numbered(20, 3, 9) };
    const list = await readList(gateway, {
      orderBy: { ...byUsername, direction: "DESC" },
      filter: { username },
    });
    expect(usernamesOf(list)).toEqual(numbered(20, 3, 9).reverse());
    expect(await requestedPages(gateway)).toEqual([1, 1, 2, 2]);
  });

  it("are shared by the fields of an operation, and by operations at the same time", async () => {
    await gateway.reset({ count: 95 });
    const field = (alias: string, text: string) =>
      `${alias}: sipEndpoints(filter: { username: { contains: "${text}" } }) { totalCount }`;
    const { data, errors } = await gateway.execute(`{ ${field("a", "1")} ${field("b", "2")} }`);
    expect([errors, data]).toEqual([undefined, { a: { totalCount: 19 }, b: { totalCount: 19 } }]);
    expect(await gateway.upstreamRequests()).toHaveLength(1 + rangePages(1, 10, 95).length);
    await gateway.reset({ count: 95 });
    await gateway.addFault({ operation: "list_sip", kind: "latency", ms: 2000, times: 1 });
    await Promise.all(["1", "2", "3"].map((text) => gateway.execute(`{ ${field("a", text)} }`)));
    expect(await gateway.upstreamRequests()).toHaveLength(1 + rangePages(1, 10, 95).length);
  });

  it("are none for the details and the password of an endpoint that `equals` has found", async () => {
    await restart(["alice", "bob"]);
    const { data } = await gateway.execute(
      '{ sipEndpoints(filter: { username: { equals: "bob" } }) { nodes { username video password } } }',
    );
    expect(data).toEqual({
      sipEndpoints: { nodes: [{ username: "bob", video: true, password: expect.any(String) }] },
    });
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });
});

describe("A search", () => {
  it.each<[string, (list: string[]) => string[]]>([
    ["removes 4 endpoints", (list) => [...list.slice(0, 100), ...list.slice(104)]],
    ["removes 12 endpoints", (list) => [...list.slice(0, 100), ...list.slice(112)]],
    ["creates 4 endpoints at the start", (list) => ["new-1", "new-2", "new-3", "new-4", ...list]],
    [
      "creates 12 endpoints at the start",
      (list) => [...Array.from({ length: 12 }, (_, n) => `new-${n}`), ...list],
    ],
    [
      "removes 4 endpoints and creates 2",
      (list) => [...list.slice(0, 100), ...list.slice(104), "new-1", "new-2"],
    ],
  ])("finds each endpoint that exists all the time once when another client %s during the read", async (_, change) => {
    const upstream = await startBrokenUpstream();
    let list = numbered(900);
    let requests = 0;
    upstream.respond((response, { body }) => {
      const { page } = JSON.parse(body);
      // The first 41 pages have been read then, with 62 requests.
      if (++requests === 70) list = change(list);
      const rows = list.slice(10 * (page - 1), 10 * page).map((username) => ({ username }));
      send(response, { body: { code: 200, list: { count: list.length, rows } } });
    });
    const other = await startGateway({ gateway: { PIOPIY_URL: upstream.url } });
    try {
      // Endpoints on both sides of the end of the first 41 pages.
      const there = numbered(900, 350, 450);
      const { edges } = await readList(other, { first: 100, filter: { username: { in: there } } });
      expect(requests).toBeGreaterThan(70);
      expect(edges.map(({ node }) => node.username)).toEqual(there);
    } finally {
      await other.close();
      await upstream.close();
    }
  });

  it("reports rows without a valid username once, searches the others, and reports no row for `equals` and `in`", async () => {
    const upstream = await startBrokenUpstream();
    const rows = Array.from({ length: 250 }, (_, index) => ({
      username: index % 2 === 0 ? `user${index}` : "",
      password: "made-up-1",
    }));
    upstream.respond((response, { body }) => {
      const { page } = JSON.parse(body);
      const list = { count: rows.length, rows: rows.slice(10 * (page - 1), 10 * page) };
      send(response, { body: { code: 200, list } });
    });
    const other = await startGateway({ gateway: { PIOPIY_URL: upstream.url, CACHE_TTL_MS: "600000" } });
    try {
      const { data, errors } = await queryList(other, { filter: { username: { contains: "user24" } } });
      expect(data.sipEndpoints?.edges.map(({ node }) => node.username)).toEqual([
        "user24",
        ...[240, 242, 244, 246, 248].map((number) => `user${number}`),
      ]);
      expect(errors?.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /^PIOPIY's list has rows without a valid username, at offset 1, 3, .*, 199 and 25 more\. These rows are omitted\./,
        ),
      ]);
      for (const username of [{ equals: "user24" }, { in: ["user24", "nobody", "user25"] }]) {
        expect(usernamesOf(await readList(other, { filter: { username } }))).toEqual(["user24"]);
      }
    } finally {
      await other.close();
      await upstream.close();
    }
  });

  describe("with SCAN_MAX_ENDPOINTS=25", () => {
    let small: TestGateway;
    beforeAll(async () => {
      small = await startGateway({ gateway: { SCAN_MAX_ENDPOINTS: "25", PIOPIY_URL: gateway.piopiyUrl } });
    });
    afterAll(() => small.close());

    it.each([
      [25, true],
      [26, false],
      [300, false],
    ])("is complete or not in a list of %i endpoints: %s", async (count, complete) => {
      await gateway.reset({ count });
      const filter = { username: { startsWith: "user" } };
      const list = await readList(small, { first: 100, filter });
      expect([usernamesOf(list), list.totalCount, list.complete]).toEqual([numbered(25), 25, complete]);
      expect(await requestedPages(gateway)).toEqual([1, ...rangePages(1, 3, count)]);
      const ordered = await readList(small, { last: 2, orderBy: byUsername });
      expect([usernamesOf(ordered), ordered.complete]).toEqual([numbered(25, 23), complete]);
    });

    it("is complete where it reads the endpoints one by one", async () => {
      await gateway.reset({ count: 300 });
      const lookups = [
        { filter: { username: { equals: "user0300" } } },
        { filter: { username: { in: ["user0300", "user0200"] } }, orderBy: byUsername },
      ];
      for (const args of lookups) {
        const { edges, complete } = await readList(small, args);
        expect([edges.at(-1)?.node.username, complete]).toEqual(["user0300", true]);
      }
    });

    it("appends the usernames after the bound in the order of `in`, and reads pages of them in both directions", async () => {
      await gateway.reset({ count: 300 });
      const filter = { username: { in: ["user0300", "user0020", "nobody", "user0290", "user0010"] } };
      const expected = ["user0010", "user0020", "user0300", "user0290"];
      const all = await readList(small, { filter });
      expect(all).toMatchObject({ totalCount: 4, complete: true, pageInfo: { hasNextPage: false } });
      expect(usernamesOf(all)).toEqual(expected);
      for (const { cursor, node } of all.edges) {
        const place = expected.indexOf(node.username);
        const after = await readList(small, { filter, after: cursor });
        const before = await readList(small, { filter, last: 10, before: cursor });
        expect([usernamesOf(after), usernamesOf(before)]).toEqual([
          expected.slice(place + 1),
          expected.slice(0, place),
        ]);
      }
      const ordered = await readList(small, { filter, orderBy: byUsername });
      expect([usernamesOf(ordered), ordered.complete]).toEqual([expected.toSorted(), true]);
    });

    it("does not affect the list without a filter", async () => {
      await gateway.reset({ count: 300 });
      const list = await readList(small, { last: 1 });
      expect([usernamesOf(list), list.totalCount, list.complete]).toEqual([["user0300"], 300, true]);
    });
  });
});

describe("A search with a cache", () => {
  let cached: TestGateway;
  beforeAll(async () => {
    cached = await startGateway({ gateway: { CACHE_TTL_MS: "600000", PIOPIY_URL: gateway.piopiyUrl } });
  });
  afterAll(() => cached.close());

  it("costs no upstream request after another one, whatever its filter, order and page", async () => {
    await gateway.reset({ count: 1000 });
    await change(cached, ["+new-1"]);
    await readList(cached, { filter: { username: { contains: "99" } } });
    const { length } = await gateway.upstreamRequests();
    const args: ListArguments[] = [
      { filter: { username: { contains: "42" } } },
      { orderBy: byUsername },
      { last: 20, orderBy: { ...byUsername, direction: "DESC" } },
      { filter: { username: { in: ["user0500", "user0900"] } } },
      { last: 3, filter: { username: { startsWith: "user0" } } },
    ];
    for (const one of args) await readList(cached, one);
    expect(await gateway.upstreamRequests()).toHaveLength(length);
  });

  it.each<[string, ListArguments, string[]]>([
    ["an existing username", { filter: { username: { equals: "user0500" } } }, ["user0500"]],
    ["a missing username", { filter: { username: { equals: "nobody" } } }, []],
    [
      "an ordered list of usernames",
      { filter: { username: { in: ["user0002", "user0001"] } }, orderBy: byUsername },
      numbered(2),
    ],
    ["a filter that matches everything", { first: 25, filter: { username: { contains: "" } } }, numbered(25)],
    [
      "a filter without conditions, from the end",
      { last: 25, filter: { username: {} } },
      numbered(1000, 975),
    ],
    [
      "a filter without conditions, from a position",
      { offset: 505, first: 25, filter: {} },
      numbered(1000, 505, 530),
    ],
  ])("costs no upstream request after another one for %s", async (_, args, expected) => {
    await gateway.reset({ count: 1000 });
    await change(cached, ["+new-1", "-new-1"]);
    await readList(cached, { filter: { username: { contains: "99" } } });
    const { length } = await gateway.upstreamRequests();
    const list = await readList(cached, args);
    expect([usernamesOf(list), list.complete]).toEqual([expected, true]);
    expect(await gateway.upstreamRequests()).toHaveLength(length);
  });

  it("reads the pages after the bound if a filter matches everything", async () => {
    await gateway.reset({ count: 1000 });
    const small = await startGateway({
      gateway: { CACHE_TTL_MS: "600000", SCAN_MAX_ENDPOINTS: "25", PIOPIY_URL: gateway.piopiyUrl },
    });
    try {
      expect(await readList(small, { filter: { username: { contains: "user" } } })).toMatchObject({
        complete: false,
      });
      const all = await readList(small, { offset: 30, filter: { username: { contains: "" } } });
      expect([usernamesOf(all), all.totalCount, all.complete]).toEqual([numbered(1000, 30, 40), 1000, true]);
    } finally {
      await small.close();
    }
  });

  it("finds an endpoint that the gateway has created, and not one that it has removed", async () => {
    await gateway.reset({ count: 30 });
    const filter = { username: { startsWith: "new-" } };
    await change(cached, ["+new-1"]);
    expect(usernamesOf(await readList(cached, { filter }))).toEqual(["new-1"]);
    await change(cached, ["+new-2", "-new-1"]);
    expect(usernamesOf(await readList(cached, { filter }))).toEqual(["new-2"]);
  });

  it("reads the passwords of its rows from their pages", async () => {
    await gateway.reset({ count: 1000 });
    await change(cached, ["+new-1", "-new-1"]);
    await readList(cached, { filter: { username: { contains: "9" } } });
    const { length } = await gateway.upstreamRequests();
    const { data, errors } = await cached.execute<{ sipEndpoints: { nodes: { password: string }[] } }>(
      '{ sipEndpoints(last: 10, filter: { username: { startsWith: "user09" } }) { nodes { username password } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.sipEndpoints.nodes).toEqual(
      numbered(1000, 989, 999).map((username) => ({ username, password: expect.any(String) })),
    );
    const requests = (await gateway.upstreamRequests()).slice(length);
    expect(requests.map(({ operation, page }) => `${operation} ${page}`).sort()).toEqual([
      "list_sip 100",
      "list_sip 99",
    ]);
  });
});
