import { composeServices } from "@apollo/composition";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { composeServices as composeByGuild } from "@theguild/federation-composition";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { startEmployees } from "./employees.js";
import { type Router, routers } from "./routers.js";
import { shop, startShop } from "./shop.js";
import { subgraphs } from "./supergraph.js";

describe.each([
  "schema/subgraph.graphql",
  "schema/subgraph.without-security.graphql",
])("%s, beside a subgraph with its own Node, UserError, CallType, TargetType and PhoneNumber,", (schema) => {
  const parts = [
    ...subgraphs("http://gateway.example", "http://employees.example", schema),
    shop("http://shop.example"),
  ];

  it("composes without errors or hints, with Apollo's composition", () => {
    const { errors = [], hints = [] } = composeServices(parts);
    expect([...errors, ...hints].map(({ message }) => message)).toEqual([]);
  });

  it("composes without errors, with The Guild's composition", () => {
    expect(composeByGuild(parts).errors).toBeUndefined();
  });
});

describe.each(Object.entries(routers))("Behind %s, beside this subgraph,", (_name, startRouter) => {
  let gateway: TestGateway;
  let employees: Awaited<ReturnType<typeof startEmployees>>;
  let other: Awaited<ReturnType<typeof startShop>>;
  let router: Router;

  beforeAll(async () => {
    gateway = await startGateway();
    const { data } = await gateway.execute<{ sipEndpoints: { nodes: { id: string }[] } }>(
      "{ sipEndpoints(first: 2) { nodes { id } } }",
    );
    employees = await startEmployees();
    other = await startShop(data.sipEndpoints.nodes.map(({ id }) => id));
    router = await startRouter(`${gateway.origin}/graphql`, employees.url, [other]);
  });
  afterAll(async () => {
    await router.close();
    await other.close();
    employees.close();
    await gateway.close();
  });

  async function execute(query: string) {
    const response = await fetch(router.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }

  it("a query of both subgraphs returns the types of each", async () => {
    const result = await execute(`{
      notify(to: "+914471000000") { code by target userErrors { code message } }
      node(id: "order-0") { id code }
      orders { pageInfo { hasNextPage endCursor } }
      sipEndpoints(first: 1) { nodes { username } pageInfo { hasNextPage } }
      connectAction(input: { callType: VIDEO, call: [] }) { userErrors { code path } }
    }`);
    expect(result).toEqual({
      data: {
        notify: {
          code: "NOT_SENT",
          by: "TEXT",
          target: "CUSTOMER",
          userErrors: [{ code: "UNKNOWN_NUMBER", message: "The number is not a customer's." }],
        },
        node: { id: "order-0", code: "PAID" },
        orders: { pageInfo: { hasNextPage: false, endCursor: null } },
        sipEndpoints: { nodes: [{ username: "alice" }], pageInfo: { hasNextPage: true } },
        connectAction: { userErrors: [{ code: "NO_TARGETS", path: ["call"] }] },
      },
    });
  });

  it("endpoints resolve by their id, in one batch", async () => {
    await gateway.reset();
    const { data, errors } = await execute(
      "{ orders { nodes { code agent { sipUri employee { name } } } } }",
    );
    expect(errors).toBeUndefined();
    const agent = (name: string, employee: string) => ({
      code: "PAID",
      agent: { sipUri: `sip:${name}@sbc.emulator.example`, employee: { name: employee } },
    });
    expect(data.orders.nodes).toEqual([agent("alice", "Alice Adams"), agent("bob", "Bob Brown")]);
    const requested = (await gateway.upstreamRequests()).map(
      ({ operation, username }) => `${operation} ${username}`,
    );
    expect(requested.sort()).toEqual(["get_sip alice", "get_sip bob"]);
  });
});
