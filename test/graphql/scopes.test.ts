import "reflect-metadata";
import { getDirective } from "@graphql-tools/utils";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { buildSchema, isObjectType } from "graphql";
import { buildGatewaySchema } from "../../src/graphql/schema.js";
import { enforceScopes } from "../../src/graphql/scopes.js";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

/** The scopes of which each field requires one, or that it requires only the scope of its parent. */
const OPEN = "open to clients that may read its parent";
const decisions: Record<string, Record<string, string>> = {
  Query: {
    node: "sip:read or sip:self",
    nodes: "sip:read or sip:self",
    sipEndpoint: "sip:read or sip:self",
    mySipEndpoint: "sip:self or sip:read",
    sipEndpoints: "sip:read",
    connectAction: "sip:read",
    validatePcmo: "sip:read",
    _entities: "sip:read or sip:self",
    _service: "sip:read",
  },
  Mutation: {
    createSipEndpoint: "sip:write",
    updateSipEndpoint: "sip:write",
    rotateSipEndpointPassword: "sip:write or sip:self",
    removeSipEndpoint: "sip:write",
    createSipEndpoints: "sip:write",
    removeSipEndpoints: "sip:write",
  },
  SipEndpoint: {
    id: OPEN,
    username: OPEN,
    connectUrl: OPEN,
    sipUri: OPEN,
    audio: OPEN,
    video: OPEN,
    type: OPEN,
    password: "sip:password or sip:self",
  },
  SipEndpointConnection: { complete: OPEN, edges: OPEN, nodes: OPEN, pageInfo: OPEN, totalCount: OPEN },
  SipEndpointEdge: { cursor: OPEN, node: OPEN },
  PageInfo: { hasNextPage: OPEN, hasPreviousPage: OPEN, startCursor: OPEN, endCursor: OPEN },
  CreateSipEndpointPayload: { sipEndpoint: OPEN, password: OPEN, userErrors: OPEN },
  UpdateSipEndpointPayload: { sipEndpoint: OPEN, password: OPEN, userErrors: OPEN },
  RotateSipEndpointPasswordPayload: { sipEndpoint: OPEN, password: OPEN, userErrors: OPEN },
  RemoveSipEndpointPayload: { removedId: OPEN, username: OPEN, userErrors: OPEN },
  CreateSipEndpointsPayload: { results: OPEN, created: OPEN, existing: OPEN, failed: OPEN, userErrors: OPEN },
  CreateSipEndpointResult: {
    username: OPEN,
    sipEndpoint: OPEN,
    password: OPEN,
    userErrors: OPEN,
    error: OPEN,
  },
  RemoveSipEndpointsPayload: { results: OPEN, removed: OPEN, missing: OPEN, failed: OPEN, userErrors: OPEN },
  RemoveSipEndpointResult: { username: OPEN, removedId: OPEN, userErrors: OPEN, error: OPEN },
  SipFailure: { code: OPEN, message: OPEN, retryable: OPEN },
  ConnectActionResult: { pcmo: OPEN, summary: OPEN, warnings: OPEN, userErrors: OPEN, answerUrl: OPEN },
  ConnectActionWarning: { code: OPEN, message: OPEN, path: OPEN },
  PcmoReport: { valid: OPEN, problems: OPEN, description: OPEN, normalized: OPEN },
  PcmoProblem: { pointer: OPEN, code: OPEN, severity: OPEN, message: OPEN },
  SipUserError: { code: OPEN, message: OPEN, path: OPEN },
  _Service: { sdl: OPEN },
};

describe("Every field of the schema", () => {
  it("is in the list above, and has @RequiresScope unless it is open", () => {
    const schema = buildGatewaySchema();
    const federation: Record<string, string> = {
      _entities: "sip:read or sip:self",
      _service: "sip:read",
    };
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && !type.name.startsWith("__"),
    );
    const found = types.map((type) => [
      type.name,
      Object.fromEntries(
        Object.values(isObjectType(type) ? type.getFields() : {}).map((field) => [
          field.name,
          getDirective(schema, field, "requiresScopes")?.[0]?.scopes.join(" or ") ??
            federation[field.name] ??
            OPEN,
        ]),
      ),
    ]);
    expect(Object.fromEntries(found)).toEqual(decisions);
  });

  it("of Query and Mutation requires a scope, or the gateway does not start", () => {
    const schema = buildSchema("type Query { forgotten: Int }");
    expect(() => enforceScopes(schema)).toThrow(
      "Query.forgotten has no scope. Declare one with @RequiresScope.",
    );
  });
});

let gateway: TestGateway;
beforeAll(async () => {
  const keys = {
    "key-r": "sip:read",
    "key-w": "sip:write",
    "key-p": "sip:password",
    "key-rp": "sip:read+sip:password",
  };
  gateway = await startGateway({ gateway: apiKeys(keys) });
});
beforeEach(() => gateway.reset());
afterAll(() => gateway.close());

describe("A scope", () => {
  it.each([
    ["sipEndpoint", "key-r", '{ sipEndpoint(username: "alice") { username type } }'],
    ["sipEndpoints", "key-r", "{ sipEndpoints { totalCount } }"],
    ["connectAction", "key-r", '{ connectAction(input: { call: [{ user: "alice" }] }) { pcmo } }'],
    ["validatePcmo", "key-r", '{ validatePcmo(pcmo: [{ action: "hangup" }]) { valid } }'],
    ["_service", "key-r", "{ _service { sdl } }"],
    [
      "_entities",
      "key-r",
      '{ _entities(representations: [{ __typename: "SipEndpoint", username: "alice" }]) { ... on SipEndpoint { type } } }',
    ],
    ["node", "key-r", `{ node(id: "${idOf("alice")}") { id } }`],
    ["nodes", "key-r", `{ nodes(ids: ["${idOf("alice")}"]) { id } }`],
    [
      "createSipEndpoint",
      "key-w",
      'mutation { createSipEndpoint(input: { username: "erin" }) { password } }',
    ],
    [
      "updateSipEndpoint",
      "key-w",
      'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { password } }',
    ],
    [
      "rotateSipEndpointPassword",
      "key-w",
      'mutation { rotateSipEndpointPassword(input: { username: "alice" }) { password } }',
    ],
    [
      "removeSipEndpoint",
      "key-w",
      'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }',
    ],
    [
      "createSipEndpoints",
      "key-w",
      'mutation { createSipEndpoints(input: { items: [{ username: "erin" }] }) { results { password } } }',
    ],
    [
      "removeSipEndpoints",
      "key-w",
      'mutation { removeSipEndpoints(input: { usernames: ["alice"], dryRun: true }) { removed } }',
    ],
  ])("is required for %s: %s has it, and without it the field is not resolved", async (field, right, query) => {
    for (const key of ["key-r", "key-w", "key-p"].filter((key) => key !== right)) {
      const { status, errors } = await gateway.execute(query, {}, bearer(key));
      expect([status, errors]).toMatchObject([200, [{ path: [field], extensions: { code: "FORBIDDEN" } }]]);
    }
    expect(await gateway.upstreamRequests()).toEqual([]);
    const { data, errors } = await gateway.execute<Record<string, unknown>>(query, {}, bearer(right));
    expect(errors).toBeUndefined();
    expect(data[field]).toBeTruthy();
  });

  it("that is missing affects only its own field", async () => {
    const query = '{ sipEndpoint(username: "alice") { username password type } }';
    const { data, errors } = await gateway.execute(query, {}, bearer("key-r"));
    expect(data).toEqual({ sipEndpoint: { username: "alice", password: null, type: "SIP" } });
    expect(errors).toMatchObject([
      { path: ["sipEndpoint", "password"], extensions: { code: "FORBIDDEN", retryable: false } },
    ]);
  });
});

describe("SipEndpoint.password", () => {
  it.each<[string, string, string, (string | number)[][]]>([
    [
      "nodes",
      "key-r",
      "{ sipEndpoints(first: 2) { nodes { password } } }",
      [0, 1].map((n) => ["sipEndpoints", "nodes", n, "password"]),
    ],
    [
      "edges",
      "key-r",
      "{ sipEndpoints(first: 1) { edges { node { password } } } }",
      [["sipEndpoints", "edges", 0, "node", "password"]],
    ],
    [
      "a reference",
      "key-r",
      '{ _entities(representations: [{ __typename: "SipEndpoint", username: "bob" }]) { ... on SipEndpoint { password } } }',
      [["_entities", 0, "password"]],
    ],
    [
      "a new endpoint",
      "key-w",
      'mutation { createSipEndpoint(input: { username: "erin" }) { sipEndpoint { password } } }',
      [["createSipEndpoint", "sipEndpoint", "password"]],
    ],
    [
      "new endpoints of a list",
      "key-w",
      'mutation { createSipEndpoints(input: { items: [{ username: "erin" }, { username: "frank" }] }) { results { sipEndpoint { password } } } }',
      [0, 1].map((n) => ["createSipEndpoints", "results", n, "sipEndpoint", "password"]),
    ],
    [
      "a changed endpoint",
      "key-w",
      'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { sipEndpoint { password } } }',
      [["updateSipEndpoint", "sipEndpoint", "password"]],
    ],
  ])("is null without its scope, also from %s", async (_, key, query, paths) => {
    const { data, errors } = await gateway.execute(query, {}, bearer(key));
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
      paths.map((path) => [path, "FORBIDDEN"]),
    );
    expect(JSON.stringify(data)).toMatch(/"password":null/);
    expect(JSON.stringify(data)).not.toMatch(/"password":"/);
  });

  it("is returned with its scope", async () => {
    const { data } = await gateway.execute(
      '{ sipEndpoint(username: "alice") { password } }',
      {},
      bearer("key-rp"),
    );
    expect(data).toEqual({ sipEndpoint: { password: "made-up-Lantern-27" } });
  });

  it.each([
    'mutation { createSipEndpoint(input: { username: "erin", password: "made-up-1" }) { password } }',
    'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-1" }) { password } }',
  ])("that was just set is in the payload without the scope: %s", async (mutation) => {
    const { data, errors } = await gateway.execute(mutation, {}, bearer("key-w"));
    expect(errors).toBeUndefined();
    expect(Object.values(Object(data))).toEqual([{ password: "made-up-1" }]);
  });
});
