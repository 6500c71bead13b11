import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway.js";

type Entities = { _entities: ({ username: string; sipUri?: string } | null)[] };

describe("Query._entities, as a router asks it", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  function ask(usernames: string[], fields = "username sipUri") {
    const query = `query ($representations: [_Any!]!) {
      _entities(representations: $representations) { ... on SipEndpoint { ${fields} } }
    }`;
    const representations = usernames.map((username) => ({ __typename: "SipEndpoint", username }));
    return gateway.ask<Entities>(query, { representations });
  }

  it("asks PIOPIY once for each distinct name, and answers in the order of the references", async () => {
    const { data, errors } = await ask(["alice", "bob", "alice", "carol"]);
    expect(errors).toBeUndefined();
    expect(data._entities.map((entity) => entity?.username)).toEqual(["alice", "bob", "alice", "carol"]);
    const calls = (await gateway.calls()).map(({ operation, username }) => `${operation} ${username}`);
    expect(calls.sort()).toEqual(["get_sip alice", "get_sip bob", "get_sip carol"]);
  });

  it("answers null for an unknown name, at its place", async () => {
    const { data, errors } = await ask(["alice", "nobody", "bob"]);
    expect(errors).toBeUndefined();
    expect(data._entities.map((entity) => entity?.username)).toEqual(["alice", undefined, "bob"]);
  });

  it("answers an error for a failing name at its place, and the others stay", async () => {
    await gateway.fail({ operation: "get_sip", username: "bob", kind: "status", status: 404 });
    const { data, errors } = await ask(["alice", "bob", "carol"]);
    expect(errors).toMatchObject([{ path: ["_entities", 1], extensions: { code: "UPSTREAM_REJECTED" } }]);
    expect(data._entities.map((entity) => entity?.username)).toEqual(["alice", undefined, "carol"]);
  });

  it("asks PIOPIY even when only the name is wanted: else it would say that a removed endpoint is there", async () => {
    const { data } = await ask(["alice", "nobody"], "username");
    expect(data._entities).toEqual([{ username: "alice" }, null]);
    expect(await gateway.calls()).toHaveLength(2);
  });

  it("tells the schema to composers", async () => {
    const { data } = await gateway.ask<{ _service: { sdl: string } }>("{ _service { sdl } }");
    expect(data._service.sdl).toContain('type SipEndpoint\n  @key(fields: "username")');
  });
});
