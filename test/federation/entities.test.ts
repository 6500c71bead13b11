import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

type Entities = { _entities: ({ __typename?: string; username: string; sipUri?: string } | null)[] };

describe("Query._entities", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  function execute(usernames: string[], fields?: string) {
    return queryEntities(
      usernames.map((username) => ({ __typename: "SipEndpoint", username })),
      fields,
    );
  }

  function queryEntities(representations: unknown[], fields = "username sipUri") {
    const query = `query ($representations: [_Any!]!) {
      _entities(representations: $representations) { __typename ... on SipEndpoint { ${fields} } }
    }`;
    return gateway.execute<Entities | null>(query, { representations });
  }

  const usernames = (data: Entities | null) => data?._entities.map((entity) => entity?.username);

  it("sends one upstream request per distinct name, and returns the order of the references", async () => {
    const { data, errors } = await execute(["alice", "bob", "alice", "carol"]);
    expect(errors).toBeUndefined();
    expect(usernames(data)).toEqual(["alice", "bob", "alice", "carol"]);
    const requests = (await gateway.upstreamRequests()).map(
      ({ operation, username }) => `${operation} ${username}`,
    );
    expect(requests.sort()).toEqual(["get_sip alice", "get_sip bob", "get_sip carol"]);
  });

  it("returns null for an unknown name, at its index", async () => {
    const { data, errors } = await execute(["alice", "nobody", "bob"]);
    expect(errors).toBeUndefined();
    expect(usernames(data)).toEqual(["alice", undefined, "bob"]);
  });

  it("returns an error for a failing name at its index, and the other entities", async () => {
    await gateway.addFault({ operation: "get_sip", username: "bob", kind: "status", status: 404 });
    const { data, errors } = await execute(["alice", "bob", "carol"]);
    expect(errors).toMatchObject([{ path: ["_entities", 1], extensions: { code: "UPSTREAM_REJECTED" } }]);
    expect(usernames(data)).toEqual(["alice", undefined, "carol"]);
  });

  it("reads the endpoint even when only the username is selected, to return null for a removed one", async () => {
    const { data } = await execute(["alice", "nobody"], "username");
    expect(data?._entities).toEqual([{ __typename: "SipEndpoint", username: "alice" }, null]);
    expect(await gateway.upstreamRequests()).toHaveLength(2);
  });

  it("ignores other fields of a representation, even if their values differ", async () => {
    const representation = {
      __typename: "SipEndpoint",
      username: "alice",
      sipUri: "sip:x@y",
      id: { x: [1] },
    };
    const { data, errors } = await queryEntities([representation]);
    expect(errors).toBeUndefined();
    expect(data?._entities).toEqual([
      { __typename: "SipEndpoint", username: "alice", sipUri: expect.stringMatching(/^sip:alice@/) },
    ]);
  });

  it("accepts representations in the document", async () => {
    const { data, errors } = await gateway.execute<Entities>(`{
      _entities(representations: [{ __typename: "SipEndpoint", username: "alice" }]) { __typename }
    }`);
    expect(errors).toBeUndefined();
    expect(data._entities).toEqual([{ __typename: "SipEndpoint" }]);
  });

  it("returns an empty list for no representations", async () => {
    const { data, errors } = await queryEntities([]);
    expect([data, errors]).toEqual([{ _entities: [] }, undefined]);
  });

  it("returns an error for a representation without a key at its index, and the other entities", async () => {
    const { data, errors } = await queryEntities([
      { __typename: "SipEndpoint", username: "alice" },
      { __typename: "SipEndpoint" },
    ]);
    expect(errors).toMatchObject([
      {
        path: ["_entities", 1],
        extensions: { code: "BAD_USER_INPUT", argumentName: "representations" },
      },
    ]);
    expect(usernames(data)).toEqual(["alice", undefined]);
  });

  it.each([
    "Nothing",
    "SipUserError",
    "Query",
    "constructor",
    "__proto__",
  ])("returns an error at the index of a representation of %s, which is not an entity, and the other entities", async (__typename) => {
    const { data, errors } = await queryEntities([
      { __typename: "SipEndpoint", username: "alice" },
      { __typename, username: "alice" },
    ]);
    expect(usernames(data)).toEqual(["alice", undefined]);
    expect(errors).toMatchObject([
      {
        message: "Each of `representations` must be an object with a `__typename` of SipEndpoint.",
        path: ["_entities", 1],
        extensions: { code: "BAD_USER_INPUT", argumentName: "representations" },
      },
    ]);
    expect((await gateway.upstreamRequests()).map(({ username }) => username)).toEqual(["alice"]);
  });

  it("returns schema/subgraph.graphql to composers", async () => {
    const { data } = await gateway.execute<{ _service: { sdl: string } }>("{ _service { sdl } }");
    expect(`${data._service.sdl}\n`).toBe(readFileSync("schema/subgraph.graphql", "utf8"));
  });
});
