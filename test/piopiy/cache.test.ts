import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const missing = '{ sipEndpoint(username: "nobody") { username } }';
const list = "{ sipEndpoints(first: 10) { totalCount nodes { username } } }";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { CACHE_TTL_MS: "60000" } });
});
afterAll(() => gateway.close());
/** Every test begins with 25 endpoints and has names of its own in the cache: each change drops those of others. */
beforeEach(() => empty(gateway));

/** Drops what is cached by changes, and begins anew with 25 endpoints. */
async function empty({ ask, reset }: TestGateway): Promise<void> {
  await reset({ count: 25 });
  for (const username of ["user0001", "user0002", "nobody"]) {
    await ask(
      "mutation ($username: ID!) { removeSipEndpoint(input: { username: $username }) { username } }",
      {
        username,
      },
    );
  }
  await reset({ count: 25 });
}

/** The calls that an operation makes. */
async function costOf(query: string, on = gateway): Promise<string[]> {
  const before = (await on.calls()).length;
  const { errors } = await on.ask(query);
  expect(errors).toBeUndefined();
  return (await on.calls())
    .slice(before)
    .map(({ operation, username, page }) => `${operation} ${username ?? page}`);
}

describe("What was read", () => {
  it.each([
    ["an endpoint", one, ["get_sip user0001"]],
    ["that there is none", missing, ["get_sip nobody"]],
    ["a page of the list", list, ["list_sip 1"]],
  ])("is answered again without a call: %s", async (_, query, calls) => {
    expect(await costOf(query)).toEqual(calls);
    const first = await gateway.ask(query);
    expect(await costOf(query)).toEqual([]);
    expect((await gateway.ask(query)).data).toEqual(first.data);
    expect(first.data).toBeTruthy();
  });

  it("is shared by operations that are not alike", async () => {
    await gateway.ask(one);
    expect(
      await costOf(
        'query Other { again: sipEndpoint(username: "user0001") { audio video type connectUrl } }',
      ),
    ).toEqual([]);
  });

  it("of an endpoint serves the rows of a list, which take nothing from it", async () => {
    await gateway.ask(one);
    const calls = await costOf("{ sipEndpoints(first: 10) { nodes { sipUri } } }");
    expect(calls.sort()).toEqual(
      [
        "list_sip 1",
        ...Array.from({ length: 9 }, (_, index) => `get_sip user${String(index + 2).padStart(4, "0")}`),
      ].sort(),
    );
    expect(await costOf("{ sipEndpoints(first: 10) { nodes { sipUri } } }")).toEqual([]);
    expect(await costOf(one)).toEqual([]);
  });

  it("of pages serves the same window, and every window over one of them", async () => {
    const query = "{ sipEndpoints(first: 25) { totalCount } }";
    expect((await costOf(query)).sort()).toEqual(["list_sip 1", "list_sip 2", "list_sip 2", "list_sip 3"]);
    expect(await costOf("{ sipEndpoints(first: 29) { nodes { username } } }")).toEqual([]);
    expect(await costOf("{ sipEndpoints(first: 7, offset: 11) { nodes { username } } }")).toEqual([]);
  });

  it("is read once more when pages do not agree: the list has changed elsewhere", async () => {
    await gateway.ask(list);
    await gateway.reset({ count: 24 });
    const { data } = await gateway.ask<{ sipEndpoints: { totalCount: number; nodes: unknown[] } }>(
      "{ sipEndpoints(first: 30) { totalCount nodes { username } } }",
    );
    expect(data.sipEndpoints).toMatchObject({ totalCount: 24, nodes: { length: 24 } });
    expect((await gateway.ask(list)).data).toMatchObject({ sipEndpoints: { totalCount: 24 } });
  });

  it("under the longest name is cached like any other", async () => {
    const query = `{ sipEndpoint(username: "${"x".repeat(256)}") { username } }`;
    expect([await costOf(query), await costOf(query)]).toEqual([[`get_sip ${"x".repeat(256)}`], []]);
  });
});

describe("A password", () => {
  it.each([
    [
      "of an endpoint",
      '{ sipEndpoint(username: "user0001") { sipUri password } }',
      ["get_sip user0001"],
      ["get_sip user0001"],
    ],
    [
      "of each row",
      "{ sipEndpoints(first: 20) { nodes { username password } } }",
      ["list_sip 1", "list_sip 2", "list_sip 2"],
      ["list_sip 1", "list_sip 2"],
    ],
  ])("%s is asked for each time, by no more calls than without a cache", async (_, query, first, calls) => {
    expect((await costOf(query)).sort()).toEqual(first);
    const { data } = await gateway.ask(query);
    expect((await costOf(query)).sort()).toEqual(calls);
    expect(JSON.stringify(data)).toContain('"password":"');
  });

  it("is the one that was set last, whoever has read the endpoint before", async () => {
    const read = '{ sipEndpoint(username: "user0001") { sipUri password } }';
    await gateway.ask(read);
    await gateway.ask(
      'mutation { updateSipEndpoint(input: { username: "user0001", password: "made-up-2" }) { password } }',
    );
    expect((await gateway.ask(read)).data).toMatchObject({ sipEndpoint: { password: "made-up-2" } });
  });

  it("of a row that has moved to another page meanwhile is found all the same", async () => {
    await gateway.ask("{ sipEndpoints(first: 20) { nodes { username } } }");
    await gateway.reset({ endpoints: [{ username: "user0011", password: "made-up-3" }] });
    const { data } = await gateway.ask<{ sipEndpoints: { nodes: { password: string }[] } }>(
      "{ sipEndpoints(first: 1, offset: 10) { nodes { username password } } }",
    );
    expect(data.sipEndpoints.nodes).toEqual([{ username: "user0011", password: "made-up-3" }]);
  });
});

describe("A mutation makes what was read be read again, and nothing else:", () => {
  const other = '{ sipEndpoint(username: "user0002") { username } }';
  it.each([
    ["createSipEndpoint", "nobody", missing, ["list_sip 1"]],
    ["updateSipEndpoint", "user0001", one, []],
    ["removeSipEndpoint", "user0001", one, ["list_sip 1"]],
  ])("%s", async (mutation, username, own, listCalls) => {
    for (const query of [own, other, list]) await gateway.ask(query);
    await gateway.ask(
      `mutation ($username: ID!) { ${mutation}(input: { username: $username }) { userErrors { code } } }`,
      { username },
    );
    expect(await costOf(own)).toEqual([`get_sip ${username}`]);
    expect(await costOf(other)).toEqual([]);
    expect(await costOf(list)).toEqual(listCalls);
  });

  it("one that came to no end", async () => {
    await gateway.ask(one);
    await gateway.fail({ operation: "update_sip", kind: "status", status: 400, times: 1 });
    await gateway.ask(
      'mutation { updateSipEndpoint(input: { username: "user0001" }) { userErrors { code } } }',
    );
    expect(await costOf(one)).toEqual(["get_sip user0001"]);
  });
});

describe("CACHE_TTL_MS", () => {
  it("is how old an answer may be", async () => {
    const brief = await startGateway({ gateway: { CACHE_TTL_MS: "100" } });
    try {
      const begun = performance.now();
      await until(async () => {
        await brief.ask(one);
        return (await brief.calls()).length >= 3;
      });
      expect(performance.now() - begun).toBeGreaterThan(190);
    } finally {
      await brief.close();
    }
  });

  it("turns the cache off with 0", async () => {
    const without = await startGateway({ gateway: { CACHE_TTL_MS: "0" } });
    try {
      await without.reset({ count: 25 });
      expect([await costOf(one, without), await costOf(one, without)]).toEqual([
        ["get_sip user0001"],
        ["get_sip user0001"],
      ]);
    } finally {
      await without.close();
    }
  });
});
