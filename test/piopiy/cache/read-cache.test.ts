import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../../support/gateway/test-gateway.js";
import { until } from "../../support/until.js";

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const missing = '{ sipEndpoint(username: "carol") { username } }';
const list = "{ sipEndpoints(first: 10) { totalCount nodes { username } } }";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { CACHE_TTL_MS: "60000" } });
});
afterAll(() => gateway.close());
/** Every test begins with 25 endpoints and without cached reads of its names. */
beforeEach(() => empty(gateway));

/** Drops cached reads by mutations, and restores 25 endpoints. */
async function empty({ execute, reset }: TestGateway): Promise<void> {
  await reset({ count: 25 });
  for (const username of ["user0001", "user0002", "carol"]) {
    await execute(
      "mutation ($username: ID!) { removeSipEndpoint(input: { username: $username }) { username } }",
      {
        username,
      },
    );
  }
  await reset({ count: 25 });
}

/** Returns the upstream requests of an operation. */
async function costOf(query: string, on = gateway): Promise<string[]> {
  const before = (await on.upstreamRequests()).length;
  const { errors } = await on.execute(query);
  expect(errors).toBeUndefined();
  return (await on.upstreamRequests())
    .slice(before)
    .map(({ operation, username, page }) => `${operation} ${username ?? page}`);
}

describe("A read", () => {
  it.each([
    ["an endpoint", one, ["get_sip user0001"]],
    ["a missing endpoint", missing, ["get_sip carol"]],
    ["a page of the list", list, ["list_sip 1"]],
  ])("is repeated from cache without an upstream request: %s", async (_, query, requests) => {
    expect(await costOf(query)).toEqual(requests);
    const first = await gateway.execute(query);
    expect(await costOf(query)).toEqual([]);
    expect((await gateway.execute(query)).data).toEqual(first.data);
    expect(first.data).toBeTruthy();
  });

  it("is shared by different operations", async () => {
    await gateway.execute(one);
    expect(
      await costOf(
        'query Other { again: sipEndpoint(username: "user0001") { audio video type connectUrl } }',
      ),
    ).toEqual([]);
  });

  it("of an endpoint is used for the rows of a list, and stays cached", async () => {
    await gateway.execute(one);
    const requests = await costOf("{ sipEndpoints(first: 10) { nodes { sipUri } } }");
    expect(requests.sort()).toEqual(
      [
        "list_sip 1",
        ...Array.from({ length: 9 }, (_, index) => `get_sip user${String(index + 2).padStart(4, "0")}`),
      ].sort(),
    );
    expect(await costOf("{ sipEndpoints(first: 10) { nodes { sipUri } } }")).toEqual([]);
    expect(await costOf(one)).toEqual([]);
  });

  it("of several pages is used for equal ranges, and for ranges within one of them", async () => {
    const query = "{ sipEndpoints(first: 25) { totalCount } }";
    expect((await costOf(query)).sort()).toEqual(["list_sip 1", "list_sip 2", "list_sip 2", "list_sip 3"]);
    expect(await costOf("{ sipEndpoints(first: 29) { nodes { username } } }")).toEqual([]);
    expect(await costOf("{ sipEndpoints(first: 7, offset: 11) { nodes { username } } }")).toEqual([]);
  });

  it("is repeated when pages do not agree, because the list has changed outside the gateway", async () => {
    await gateway.execute(list);
    await gateway.reset({ count: 24 });
    const { data } = await gateway.execute<{ sipEndpoints: { totalCount: number; nodes: unknown[] } }>(
      "{ sipEndpoints(first: 30) { totalCount nodes { username } } }",
    );
    expect(data.sipEndpoints).toMatchObject({ totalCount: 24, nodes: { length: 24 } });
    expect((await gateway.execute(list)).data).toMatchObject({ sipEndpoints: { totalCount: 24 } });
  });

  it("of the longest username is cached", async () => {
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
  ])("%s is read each time, with no more upstream requests than without a cache", async (_, query, first, requests) => {
    expect((await costOf(query)).sort()).toEqual(first);
    const { data } = await gateway.execute(query);
    expect((await costOf(query)).sort()).toEqual(requests);
    expect(JSON.stringify(data)).toContain('"password":"');
  });

  it("is the one that was set last, also when the endpoint was read before", async () => {
    const read = '{ sipEndpoint(username: "user0001") { sipUri password } }';
    await gateway.execute(read);
    await gateway.execute(
      'mutation { updateSipEndpoint(input: { username: "user0001", password: "made-up-2" }) { password } }',
    );
    expect((await gateway.execute(read)).data).toMatchObject({ sipEndpoint: { password: "made-up-2" } });
  });

  it("of a row that has moved to another page is found", async () => {
    await gateway.execute("{ sipEndpoints(first: 20) { nodes { username } } }");
    await gateway.reset({ endpoints: [{ username: "user0011", password: "made-up-3" }] });
    const { data } = await gateway.execute<{ sipEndpoints: { nodes: { password: string }[] } }>(
      "{ sipEndpoints(first: 1, offset: 10) { nodes { username password } } }",
    );
    expect(data.sipEndpoints.nodes).toEqual([{ username: "user0011", password: "made-up-3" }]);
  });
});

describe("A mutation invalidates only the reads that it may change:", () => {
  const other = '{ sipEndpoint(username: "user0002") { username } }';
  it.each([
    ["createSipEndpoint", "carol", missing, ["list_sip 1"]],
    ["rotateSipEndpointPassword", "user0001", one, []],
    ["removeSipEndpoint", "user0001", one, ["list_sip 1"]],
  ])("%s", async (mutation, username, own, listRequests) => {
    for (const query of [own, other, list]) await gateway.execute(query);
    await gateway.execute(
      `mutation ($username: ID!) { ${mutation}(input: { username: $username }) { userErrors { code } } }`,
      { username },
    );
    expect(await costOf(own)).toEqual([`get_sip ${username}`]);
    expect(await costOf(other)).toEqual([]);
    expect(await costOf(list)).toEqual(listRequests);
  });

  it("also when it fails", async () => {
    await gateway.execute(one);
    await gateway.addFault({ operation: "update_sip", kind: "status", status: 400, times: 1 });
    await gateway.execute(
      'mutation { updateSipEndpoint(input: { username: "user0001", password: "made-up-9" }) { userErrors { code } } }',
    );
    expect(await costOf(one)).toEqual(["get_sip user0001"]);
  });
});

describe("CACHE_TTL_MS", () => {
  it("limits the age of a response", async () => {
    const brief = await startGateway({ gateway: { CACHE_TTL_MS: "100" } });
    try {
      const begun = performance.now();
      await until(async () => {
        await brief.execute(one);
        return (await brief.upstreamRequests()).length >= 3;
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
