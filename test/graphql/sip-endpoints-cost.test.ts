import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { ListSipEndpointsDocument } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered } from "./list-query.js";

describe("The rows of Query.sipEndpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ count: 25 }));

  /** Returns the number of upstream requests for each of PIOPIY's operations. */
  async function cost(): Promise<Record<string, number>> {
    const tally: Record<string, number> = {};
    for (const { operation } of await gateway.upstreamRequests())
      tally[operation] = (tally[operation] ?? 0) + 1;
    return tally;
  }

  it.each([
    "totalCount",
    "pageInfo { endCursor }",
    "nodes { __typename }",
    "nodes { username }",
    "nodes { username password }",
    "nodes { password } edges { cursor node { username password } }",
  ])("cost no upstream request besides the list for { %s }", async (fields) => {
    const { errors } = await gateway.execute(`{ sipEndpoints { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(await cost()).toEqual({ list_sip: 1 });
  });

  it.each([
    "nodes { connectUrl }",
    "nodes { sipUri }",
    "nodes { audio }",
    "nodes { video }",
    "nodes { type }",
    "nodes { username password connectUrl sipUri audio video type }",
    "edges { node { sipUri } } nodes { video }",
  ])("cost one get_sip each for { %s }", async (fields) => {
    const { errors } = await gateway.execute(`{ sipEndpoints { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(await cost()).toEqual({ list_sip: 1, get_sip: 10 });
  });

  it("cost no second request for an endpoint that the operation also reads by its username", async () => {
    const { errors } = await gateway.execute(
      `{ sipEndpoint(username: "user0003") { video } sipEndpoints(first: 5) { nodes { video } } }`,
    );
    expect(errors).toBeUndefined();
    expect(await cost()).toEqual({ list_sip: 1, get_sip: 5 });
  });

  it("have their details, in the order of the list", async () => {
    const { data, errors } = await gateway.execute(ListSipEndpointsDocument, { first: 25 });
    expect(errors).toBeUndefined();
    expect(data.sipEndpoints).toMatchObject({
      totalCount: 25,
      nodes: numbered(25).map((username) => ({
        username,
        sipUri: `sip:${username}@sbc.emulator.example`,
        video: true,
      })),
      pageInfo: { hasNextPage: false },
    });
    expect(await cost()).toEqual({ list_sip: 6, get_sip: 25 });
  });

  it("have the passwords of the list", async () => {
    await gateway.reset({
      endpoints: [
        { username: "alice", password: "made-up-1" },
        { username: "bob", password: "made-up-2" },
      ],
    });
    const { data } = await gateway.execute("{ sipEndpoints { nodes { username password } } }");
    expect(data).toEqual({
      sipEndpoints: {
        nodes: [
          { username: "alice", password: "made-up-1" },
          { username: "bob", password: "made-up-2" },
        ],
      },
    });
  });
});
