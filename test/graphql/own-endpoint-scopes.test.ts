import "reflect-metadata";
import { getDirective } from "@graphql-tools/utils";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isObjectType } from "graphql";
import { scopes } from "../../src/config.js";
import { buildGatewaySchema } from "../../src/graphql/schema.js";
import { bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let key: SigningKey;
let gateway: TestGateway;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  await issuer.publish(key);
  gateway = await startGateway({ gateway: { ...issuer.settings, JWT_USERNAME_CLAIM: "sip_username" } });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

/** An operation of alice's app. */
interface Use {
  readonly field: string;
  readonly query: string;
  /** One of these scopes is enough. */
  readonly allowed: readonly string[];
  /** The path of the result. */
  readonly path: readonly (string | number)[];
}

const entity = (key: string) =>
  `{ _entities(representations: [{ __typename: "SipEndpoint", ${key} }]) { ... on SipEndpoint { username } } }`;
const mutation = (field: string, input: string) =>
  `mutation { ${field}(input: { ${input} }) { userErrors { code } } }`;
/** The fields that find an endpoint, by the scope that allows all endpoints. */
const finders: [string, string, (name: string) => string, (string | number)[]][] = [
  [
    "Query.sipEndpoint",
    "sip:read",
    (name) => `{ sipEndpoint(username: "${name}") { username } }`,
    ["sipEndpoint"],
  ],
  ["Query.node", "sip:read", (name) => `{ node(id: "${idOf(name)}") { id } }`, ["node"]],
  ["Query.nodes", "sip:read", (name) => `{ nodes(ids: ["${idOf(name)}"]) { id } }`, ["nodes", 0]],
  ["Query._entities", "sip:read", (name) => entity(`username: "${name}"`), ["_entities", 0]],
  ["Query._entities", "sip:read", (name) => entity(`id: "${idOf(name)}"`), ["_entities", 0]],
  [
    "Mutation.rotateSipEndpointPassword",
    "sip:write",
    (name) => mutation("rotateSipEndpointPassword", `username: "${name}"`),
    ["rotateSipEndpointPassword"],
  ],
];
const others: [string, string, string][] = [
  ["Query.sipEndpoints", "sip:read", "{ sipEndpoints { nodes { username } } }"],
  [
    "Query.connectAction",
    "sip:read",
    '{ connectAction(input: { call: [{ user: "alice" }] }, verify: true) { pcmo } }',
  ],
  ["Query.validatePcmo", "sip:read", '{ validatePcmo(pcmo: [{ action: "hangup" }]) { valid } }'],
  ["Query._service", "sip:read", "{ _service { sdl } }"],
  ["Mutation.createSipEndpoint", "sip:write", mutation("createSipEndpoint", 'username: "erin"')],
  [
    "Mutation.updateSipEndpoint",
    "sip:write",
    mutation("updateSipEndpoint", 'username: "alice", password: "made-up-1"'),
  ],
  ["Mutation.removeSipEndpoint", "sip:write", mutation("removeSipEndpoint", 'username: "alice"')],
  [
    "Mutation.createSipEndpoints",
    "sip:write",
    mutation("createSipEndpoints", 'items: [{ username: "frank" }]'),
  ],
  ["Mutation.removeSipEndpoints", "sip:write", mutation("removeSipEndpoints", 'usernames: ["alice"]')],
];
const uses: Record<string, Use> = {
  "Query.mySipEndpoint": {
    field: "Query.mySipEndpoint",
    query: "{ mySipEndpoint { username } }",
    allowed: ["sip:self", "sip:read"],
    path: ["mySipEndpoint"],
  },
  ...Object.fromEntries(
    finders.flatMap(([field, scope, query, path], index): [string, Use][] => [
      [
        `${field} of one's own (${index})`,
        { field, query: query("alice"), allowed: [scope, "sip:self"], path },
      ],
      [`${field} of another (${index})`, { field, query: query("bob"), allowed: [scope], path }],
      [`${field} of nobody (${index})`, { field, query: query("nobody"), allowed: [scope], path }],
    ]),
  ),
  ...Object.fromEntries(
    others.map(([field, scope, query]): [string, Use] => [
      field,
      { field, query, allowed: [scope], path: [field.split(".")[1] ?? ""] },
    ]),
  ),
};

const sets = Array.from({ length: 2 ** scopes.length }, (_, bits) =>
  scopes.filter((_scope, index) => bits & (1 << index)),
);
const headersOf = async (set: readonly string[]) =>
  bearer(await sign(key, { scope: set.join(" "), sip_username: "alice" }));

describe("A token of alice with the scopes", () => {
  it.each(
    sets.map((set) => [set.join(" ") || "none", set] as const),
  )("%s: uses what they allow, and sends no upstream request for other endpoints", async (_, set) => {
    const headers = await headersOf(set);
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [name, { query, allowed, path }] of Object.entries(uses)) {
      await gateway.reset();
      const { status, errors = [] } = await gateway.execute(query, {}, headers);
      expect(status).toBe(200);
      const isAllowed = allowed.some((scope) => set.some((each) => each === scope));
      // Without any scope for the field, `nodes` and `_entities` are forbidden as a whole.
      const isWhole = !set.includes("sip:self") && path.length > 1;
      expected[name] = isAllowed ? "allowed" : `FORBIDDEN ${isWhole ? path.slice(0, 1) : path}`;
      found[name] = errors.map((error) => `${error.extensions.code} ${error.path}`).join() || "allowed";
      if (!isAllowed) expect([name, await gateway.upstreamRequests()]).toEqual([name, []]);
    }
    expect(found).toEqual(expected);
  });

  it("are tested with each field that requires scopes, apart from the password", () => {
    const schema = buildGatewaySchema();
    const fields = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .flatMap((type) => Object.values(type.getFields()).map((field) => [type.name, field] as const))
      .filter(([, field]) => getDirective(schema, field, "requiresScopes"))
      .map(([typeName, field]) => `${typeName}.${field.name}`);
    const tested = ["SipEndpoint.password", ...Object.values(uses).map(({ field }) => field)];
    expect(fields.sort()).toEqual([...new Set(tested)].filter((name) => !name.startsWith("Query._")).sort());
  });
});

describe("SipEndpoint.password", () => {
  it.each(
    sets.map((set) => [set.join(" ") || "none", set] as const),
  )("with the scopes %s is that of the endpoints which they allow", async (_, set) => {
    await gateway.reset();
    const headers = await headersOf(set);
    const has = (scope: string) => set.some((each) => each === scope);
    const passwords = async (query: string) => {
      const { data, errors = [] } = await gateway.execute(query, {}, headers);
      const shown = JSON.stringify(data).match(/"password":"/g)?.length ?? 0;
      return [shown, errors.map(({ path, extensions }) => `${extensions.code} ${path?.join(".")}`)];
    };
    const ofAll = has("sip:password");
    const ofOwn = ofAll || has("sip:self");
    if (has("sip:read")) {
      expect(await passwords("{ sipEndpoints(first: 2) { nodes { username password } } }")).toEqual([
        ofAll ? 2 : ofOwn ? 1 : 0,
        [
          ...(ofOwn ? [] : ["FORBIDDEN sipEndpoints.nodes.0.password"]),
          ...(ofAll ? [] : ["FORBIDDEN sipEndpoints.nodes.1.password"]),
        ],
      ]);
      expect(await passwords('{ sipEndpoint(username: "bob") { password } }')).toEqual(
        ofAll ? [1, []] : [0, ["FORBIDDEN sipEndpoint.password"]],
      );
    }
    if (has("sip:read") || has("sip:self")) {
      for (const query of ["mySipEndpoint", 'sipEndpoint(username: "alice")']) {
        expect(await passwords(`{ own: ${query} { password } }`)).toEqual(
          ofOwn ? [1, []] : [0, ["FORBIDDEN own.password"]],
        );
      }
    }
    if (has("sip:write")) {
      const create = (password: string) =>
        `mutation { createSipEndpoint(input: { username: "erin" }) { sipEndpoint { ${password} } } }`;
      expect(await passwords(create("password"))).toEqual(
        ofAll ? [1, []] : [0, ["FORBIDDEN createSipEndpoint.sipEndpoint.password"]],
      );
    }
    if (has("sip:write") || has("sip:self")) {
      const rotate =
        'mutation { rotateSipEndpointPassword(input: { username: "alice" }) { password sipEndpoint { password } } }';
      expect(await passwords(rotate)).toEqual(
        ofOwn ? [2, []] : [1, ["FORBIDDEN rotateSipEndpointPassword.sipEndpoint.password"]],
      );
    }
  });
});
