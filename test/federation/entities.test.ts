import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

type Entities = { _entities: ({ __typename?: string; username: string; sipUri?: string } | null)[] };

describe("Query._entities, as a router asks it", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  function ask(usernames: string[], fields?: string) {
    return askFor(
      usernames.map((username) => ({ __typename: "SipEndpoint", username })),
      fields,
    );
  }

  function askFor(representations: unknown[], fields = "username sipUri") {
    const query = `query ($representations: [_Any!]!) {
      _entities(representations: $representations) { __typename ... on SipEndpoint { ${fields} } }
    }`;
    return gateway.ask<Entities | null>(query, { representations });
  }

  const usernames = (data: Entities | null) => data?._entities.map((entity) => entity?.username);

  it("asks PIOPIY once for each distinct name, and answers in the order of the references", async () => {
    const { data, errors } = await ask(["alice", "bob", "alice", "carol"]);
    expect(errors).toBeUndefined();
    expect(usernames(data)).toEqual(["alice", "bob", "alice", "carol"]);
    const calls = (await gateway.calls()).map(({ operation, username }) => `${operation} ${username}`);
    expect(calls.sort()).toEqual(["get_sip alice", "get_sip bob", "get_sip carol"]);
  });

  it("answers null for an unknown name, at its place", async () => {
    const { data, errors } = await ask(["alice", "nobody", "bob"]);
    expect(errors).toBeUndefined();
    expect(usernames(data)).toEqual(["alice", undefined, "bob"]);
  });

  it("answers an error for a failing name at its place, and the others stay", async () => {
    await gateway.fail({ operation: "get_sip", username: "bob", kind: "status", status: 404 });
    const { data, errors } = await ask(["alice", "bob", "carol"]);
    expect(errors).toMatchObject([{ path: ["_entities", 1], extensions: { code: "UPSTREAM_REJECTED" } }]);
    expect(usernames(data)).toEqual(["alice", undefined, "carol"]);
  });

  it("asks PIOPIY even when only the name is wanted: else it would say that a removed endpoint is there", async () => {
    const { data } = await ask(["alice", "nobody"], "username");
    expect(data?._entities).toEqual([{ __typename: "SipEndpoint", username: "alice" }, null]);
    expect(await gateway.calls()).toHaveLength(2);
  });

  it("ignores other fields of a representation, also those that would say something else", async () => {
    const representation = {
      __typename: "SipEndpoint",
      username: "alice",
      sipUri: "sip:x@y",
      id: { x: [1] },
    };
    const { data, errors } = await askFor([representation]);
    expect(errors).toBeUndefined();
    expect(data?._entities).toEqual([
      { __typename: "SipEndpoint", username: "alice", sipUri: expect.stringMatching(/^sip:alice@/) },
    ]);
  });

  it("accepts representations in the document", async () => {
    const { data, errors } = await gateway.ask<Entities>(`{
      _entities(representations: [{ __typename: "SipEndpoint", username: "alice" }]) { __typename }
    }`);
    expect(errors).toBeUndefined();
    expect(data._entities).toEqual([{ __typename: "SipEndpoint" }]);
  });

  it("returns nothing for no representations", async () => {
    const { data, errors } = await askFor([]);
    expect([data, errors]).toEqual([{ _entities: [] }, undefined]);
  });

  it("returns an error for a representation without a key at its place, and the others stay", async () => {
    const { data, errors } = await askFor([
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
    "UserError",
    "Query",
    "constructor",
    "__proto__",
  ])("rejects all representations where one names the type %s, which is no entity, and PIOPIY is not asked", async (__typename) => {
    const { data, errors } = await askFor([
      { __typename: "SipEndpoint", username: "alice" },
      { __typename, username: "alice" },
    ]);
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      {
        message: "Each of `representations` must be an object with a `__typename` of SipEndpoint.",
        path: ["_entities"],
        extensions: { code: "BAD_USER_INPUT", argumentName: "representations" },
      },
    ]);
    expect(await gateway.calls()).toEqual([]);
  });

  it("returns schema/schema.graphql to composers", async () => {
    const { data } = await gateway.ask<{ _service: { sdl: string } }>("{ _service { sdl } }");
    expect(`${data._service.sdl}\n`).toBe(readFileSync("schema/schema.graphql", "utf8"));
  });
});
