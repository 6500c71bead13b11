import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() =>
  gateway.reset({ endpoints: [{ username: "alice" }, { username: "bob" }, { username: "reception desk" }] }),
);

const requested = async () =>
  (await gateway.upstreamRequests()).map(({ operation, username }) => [operation, username]);

/** Texts that are not the id of an endpoint. */
const foreign: readonly (readonly [string, string])[] = [
  ["an empty text", ""],
  ["a username", "alice"],
  ["an id of another type", Buffer.from("Employee:alice").toString("base64url")],
  ["an id without a username", Buffer.from("SipEndpoint:").toString("base64url")],
  ["an id with padding", `${idOf("alice")}=`],
  ["an id in the alphabet of base64", Buffer.from("SipEndpoint:a?>~").toString("base64")],
  ["an id with a control character in its username", idOf("a\u0000b")],
  ["an id of a username of 257 bytes", idOf("a".repeat(257))],
  ["an id of invalid UTF-8", Buffer.from("SipEndpoint:\xff", "latin1").toString("base64url")],
  ["an id in lower case", idOf("alice").toLowerCase()],
];

describe("SipEndpoint.id", () => {
  it("is the same in a list, in a single read, in a payload and in another process", async () => {
    const query = `mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-1" }) { sipEndpoint { id } } }`;
    const other = await startGateway({ gateway: { PIOPIY_URL: gateway.piopiyUrl } });
    try {
      const list = await gateway.execute<{ sipEndpoints: { nodes: { id: string }[] } }>(
        "{ sipEndpoints { nodes { id } } }",
      );
      const single = await other.execute<{ sipEndpoint: { id: string } }>(
        '{ sipEndpoint(username: "alice") { id } }',
      );
      const payload = await other.execute<{ updateSipEndpoint: { sipEndpoint: { id: string } } }>(query);
      const ids = [
        list.data.sipEndpoints.nodes[0]?.id,
        single.data.sipEndpoint.id,
        payload.data.updateSipEndpoint.sipEndpoint.id,
      ];
      expect(ids).toEqual(Array(3).fill(idOf("alice")));
    } finally {
      await other.close();
    }
  });

  it("costs no upstream request of its own", async () => {
    const { data } = await gateway.execute("{ sipEndpoints { nodes { id } } }");
    expect(data).toEqual({
      sipEndpoints: { nodes: ["alice", "bob", "reception desk"].map((name) => ({ id: idOf(name) })) },
    });
    expect(await requested()).toEqual([["list_sip", undefined]]);
  });
});

describe("Query.node", () => {
  const query = "query ($id: ID!) { node(id: $id) { __typename id ... on SipEndpoint { username sipUri } } }";

  it.each(["alice", "reception desk"])("returns the endpoint %j from one get_sip", async (username) => {
    const { data, errors } = await gateway.execute<{ node: unknown }>(query, { id: idOf(username) });
    expect(errors).toBeUndefined();
    expect(data.node).toMatchObject({ __typename: "SipEndpoint", id: idOf(username), username });
    expect(await requested()).toEqual([["get_sip", username]]);
  });

  it("returns null for an endpoint that PIOPIY does not have", async () => {
    const { data, errors } = await gateway.execute(query, { id: idOf("nobody") });
    expect([data, errors]).toEqual([{ node: null }, undefined]);
    expect(await requested()).toEqual([["get_sip", "nobody"]]);
  });

  it.each(foreign)("returns null for %s, without an upstream request", async (_, id) => {
    const { data, errors } = await gateway.execute(query, { id });
    expect([data, errors]).toEqual([{ node: null }, undefined]);
    expect(await requested()).toEqual([]);
  });
});

describe("Query.nodes", () => {
  const query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on SipEndpoint { username video } } }";

  it("returns each object at the place of its id, and null for other ids, with one get_sip per name", async () => {
    const ids = [idOf("bob"), "what", idOf("nobody"), idOf("alice"), idOf("bob")];
    const { data, errors } = await gateway.execute<{ nodes: ({ username: string } | null)[] }>(query, {
      ids,
    });
    expect(errors).toBeUndefined();
    expect(data.nodes.map((node) => node?.username ?? null)).toEqual(["bob", null, null, "alice", "bob"]);
    expect((await requested()).sort()).toEqual([
      ["get_sip", "alice"],
      ["get_sip", "bob"],
      ["get_sip", "nobody"],
    ]);
  });

  it("returns an empty list for no ids", async () => {
    const { data } = await gateway.execute(query, { ids: [] });
    expect(data).toEqual({ nodes: [] });
  });

  it("returns an error at the index of an endpoint that cannot be read, and the other endpoints", async () => {
    await gateway.addFault({ operation: "get_sip", username: "bob", kind: "status", status: 404 });
    const ids = ["alice", "bob", "reception desk"].map(idOf);
    const { data, errors } = await gateway.execute<{ nodes: unknown }>(query, { ids });
    expect(data.nodes).toMatchObject([{ username: "alice" }, null, { username: "reception desk" }]);
    expect(errors).toMatchObject([{ path: ["nodes", 1], extensions: { code: "UPSTREAM_REJECTED" } }]);
  });

  const many = (length: number) =>
    Array.from({ length }, (_, index) => idOf(`user${String(index + 1).padStart(4, "0")}`));

  it.each([
    101, 1000,
  ])("returns an error for %i ids without an upstream request, and the data of other fields", async (count) => {
    const rejected = await gateway.execute(query.replace(/}$/, "__typename }"), { ids: many(count) });
    expect(rejected.data).toEqual({ nodes: [], __typename: "Query" });
    expect(rejected.errors).toMatchObject([
      {
        message: `\`ids\` must have at most 100 items (got ${count}). Request them in several operations.`,
        path: ["nodes"],
        extensions: { code: "BAD_USER_INPUT", argumentName: "ids", retryable: false },
      },
    ]);
    expect(await requested()).toEqual([]);
  });

  it("accepts 100 ids", async () => {
    await gateway.reset({ count: 100 });
    const { data, errors } = await gateway.execute<{ nodes: unknown[] }>(query, { ids: many(100) });
    expect(errors).toBeUndefined();
    expect(data.nodes).toHaveLength(100);
    expect(await requested()).toHaveLength(100);
  });

  it("costs five units per id and those of the selected fields", async () => {
    const left = async () =>
      Number((await gateway.execute("{ __typename }")).headers.get("ratelimit-remaining"));
    const before = await left();
    await gateway.execute(query, { ids: [idOf("alice"), idOf("bob")] });
    // 1 for `nodes`, 5 + 3 for each id, and 1 for the second request of `left`.
    expect(before - (await left())).toBe(1 + 2 * (5 + 3) + 1);
  });
});
