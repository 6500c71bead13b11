import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { post, production, send } from "./production.js";

const keys = apiKeys({
  reader: "sip:read",
  writer: "sip:write",
  both: "sip:read+sip:write",
  "password-reader": "sip:read+sip:password",
});

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { ...production, ...keys } });
});
afterAll(() => gateway.close());
afterEach(() => gateway.reset());

const removal = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';
const entities = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { password } } }`;
const of = [{ __typename: "SipEndpoint", username: "alice" }];

describe("Access Control", () => {
  it.each([
    ["a query", '{ sipEndpoint(username: "alice") { username } }'],
    ["a mutation", removal],
    ["__typename", "{ __typename }"],
    ["an unknown field", "{ nothing }"],
    ["invalid GraphQL", "{"],
  ])("general data access: nothing is executed without a credential: %s", async (_, query) => {
    for (const headers of [{}, bearer("wrong"), { authorization: "Basic YTpi" }]) {
      const { status, text, errors } = await send(`${gateway.origin}/graphql`, post({ query }, headers));
      expect(status).toBe(401);
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["UNAUTHENTICATED"]);
      expect(text).not.toContain('"data"');
    }
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    '{ sipEndpoint(username: "alice") { username } }',
    "{ sipEndpoints { totalCount } }",
    '{ connectAction(input: { call: [{ user: "alice" }] }) { pcmo } }',
    '{ _entities(representations: [{ __typename: "SipEndpoint", username: "alice" }]) { __typename } }',
    "{ _service { sdl } }",
  ])("query access: a key without sip:read gets nothing from %s", async (query) => {
    const { data, errors } = await gateway.execute(query, {}, bearer("writer"));
    expect(Object.values(Object(data)).filter((value) => value !== null)).toEqual([]);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["FORBIDDEN"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect((await gateway.execute(query, {}, bearer("reader"))).errors).toBeUndefined();
  });

  it.each([
    'createSipEndpoint(input: { username: "new" })',
    'updateSipEndpoint(input: { username: "alice", password: "made-up-9" })',
    'removeSipEndpoint(input: { username: "alice" })',
  ])("mutation access: a key without sip:write cannot %s", async (field) => {
    const query = `mutation { ${field} { userErrors { code } } }`;
    const { data, errors } = await gateway.execute(query, {}, bearer("password-reader"));
    expect(Object.values(Object(data))).toEqual([null]);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["FORBIDDEN"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect((await gateway.execute(query, {}, bearer("writer"))).errors).toBeUndefined();
  });

  it.each<[string, string, unknown]>([
    ["an endpoint", '{ sipEndpoint(username: "alice") { password } }', {}],
    ["an endpoint with aliases", '{ x: sipEndpoint(username: "alice") { x: password } }', {}],
    ["nodes", "{ sipEndpoints(first: 1) { nodes { password } } }", {}],
    ["edges", "{ sipEndpoints(first: 1) { edges { node { password } } } }", {}],
    [
      "nodes by fragments",
      "{ sipEndpoints(first: 1) { nodes { ...A } } } fragment A on SipEndpoint { ... { password } }",
      {},
    ],
    ["references", entities, { of }],
    ["references that contain a password", entities, { of: [{ ...of[0], password: "made-up" }] }],
    [
      "a creation",
      'mutation { createSipEndpoint(input: { username: "new" }) { sipEndpoint { password } } }',
      {},
    ],
    [
      "a change",
      'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { sipEndpoint { password } } }',
      {},
    ],
  ])("access on edges and nodes: %s returns no password without sip:password", async (_, query, variables) => {
    const requested = post({ query, variables }, bearer("both"));
    const { text, errors } = await send(`${gateway.origin}/graphql`, requested);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["FORBIDDEN"]);
    expect(text).not.toMatch(/"(password|x)":"/);
    expect(text).not.toContain("made-up");
  });

  it("access on edges and nodes: passwords are returned with sip:password", async () => {
    const query = "{ sipEndpoints(first: 1) { nodes { password } edges { node { password } } } }";
    const { data, errors } = await gateway.execute(query, {}, bearer("password-reader"));
    expect(errors).toBeUndefined();
    const password = "made-up-Lantern-27";
    expect(data).toEqual({ sipEndpoints: { nodes: [{ password }], edges: [{ node: { password } }] } });
  });
});
