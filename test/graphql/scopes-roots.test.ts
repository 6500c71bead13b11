import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

/** Every set of scopes that a key can have. */
const sets = [
  "sip:read",
  "sip:write",
  "sip:password",
  "sip:read+sip:write",
  "sip:read+sip:password",
  "sip:write+sip:password",
  "sip:read+sip:write+sip:password",
];

const keyOf = (set: string) => `key-of-${set.replaceAll(/[:+]/g, "-")}`;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: apiKeys(Object.fromEntries(sets.map((set) => [keyOf(set), set]))),
  });
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

interface Root {
  readonly field: string;
  readonly scope: string;
  readonly query: string;
  /** The data for a client without the scope: null in the nearest nullable field. */
  readonly nothing: unknown;
  /** The upstream requests for a client with the scope. */
  readonly requests: readonly string[];
}

const mutation = (field: string, username: string, operation: string, more = ""): Root => ({
  field,
  scope: "sip:write",
  query: `mutation { ${field}(input: { username: "${username}"${more} }) { userErrors { code } } }`,
  nothing: { [field]: null },
  requests: [operation],
});
const query = (
  field: string,
  rest: string,
  requests: readonly string[],
  nothing: unknown = { [field]: null },
): Root => ({
  field,
  scope: "sip:read",
  query: `{ ${field}${rest} }`,
  nothing,
  requests,
});
const reference = '(representations: [{ __typename: "SipEndpoint", username: "alice" }])';
const roots: Root[] = [
  query("sipEndpoint", '(username: "alice") { username }', ["get_sip"]),
  query("node", `(id: "${idOf("alice")}") { id }`, ["get_sip"]),
  query("sipEndpoints", " { nodes { username } }", ["list_sip"]),
  query("connectAction", '(input: { call: [{ user: "alice" }] }) { pcmo }', []),
  query("_entities", `${reference} { ... on SipEndpoint { username } }`, ["get_sip"], null),
  query("_service", " { sdl }", [], null),
  mutation("createSipEndpoint", "erin", "add_sip"),
  mutation("updateSipEndpoint", "alice", "update_sip", ', password: "made-up-2"'),
  mutation("rotateSipEndpointPassword", "alice", "update_sip"),
  mutation("removeSipEndpoint", "alice", "remove_sip"),
];
const pairs = roots.flatMap((root) => sets.map((set) => ({ ...root, set, has: set.split("+") })));
const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);

describe("A root field", () => {
  it.each(
    pairs.filter(({ has, scope }) => has.includes(scope)),
  )("$field is resolved for a key with $set", async ({ field, query, set, requests }) => {
    const { status, data, errors } = await gateway.execute<Record<string, unknown>>(
      query,
      {},
      bearer(keyOf(set)),
    );
    expect([status, errors]).toEqual([200, undefined]);
    expect(data[field]).toEqual(expect.anything());
    expect(await operations()).toEqual(requests);
  });

  it.each(
    pairs.filter(({ has, scope }) => !has.includes(scope)),
  )("$field is closed to a key of $set, and PIOPIY is not asked", async ({ query, set, ...root }) => {
    const { status, data, errors } = await gateway.execute(query, {}, bearer(keyOf(set)));
    expect([status, data]).toEqual([200, root.nothing]);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(root.scope),
        path: [root.field],
        extensions: { code: "FORBIDDEN", retryable: false },
      },
    ]);
    expect(await operations()).toEqual([]);
  });

  it("is forbidden under an alias and in a fragment too", async () => {
    const hidden =
      'mutation { ...F } fragment F on Mutation { x: removeSipEndpoint(input: { username: "alice" }) { username } }';
    const { data, errors } = await gateway.execute(hidden, {}, bearer(keyOf("sip:read+sip:password")));
    expect(data).toEqual({ x: null });
    expect(errors).toMatchObject([{ path: ["x"], extensions: { code: "FORBIDDEN" } }]);
    expect(await operations()).toEqual([]);
  });

  it("that is forbidden does not affect other fields", async () => {
    const both =
      '{ sipEndpoint(username: "alice") { username password } other: sipEndpoint(username: "bob") { username } }';
    const { data } = await gateway.execute(both, {}, bearer(keyOf("sip:read")));
    expect(data).toEqual({
      sipEndpoint: { username: "alice", password: null },
      other: { username: "bob" },
    });
  });
});
