import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type GraphqlResponse, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const ROUNDED = "9007199254740992";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset({ endpoints: [{ username: ROUNDED }, { username: "9007199254740991" }] }));

/** Sends variables as literal JSON text. JSON.stringify would write the rounded number. */
async function send(query: string, variables: string): Promise<GraphqlResponse<unknown>> {
  const response = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
  });
  return { status: response.status, headers: response.headers, ...(await response.json()) };
}

const remove = "mutation ($u: ID!) { removeSipEndpoint(input: { username: $u }) { username } }";
const removeInput =
  "mutation ($input: RemoveSipEndpointInput!) { removeSipEndpoint(input: $input) { username } }";
const update =
  'mutation ($u: ID!) { updateSipEndpoint(input: { username: $u, password: "made-up-9" }) { password } }';
const create =
  'mutation ($k: String) { createSipEndpoint(input: { username: "erin", idempotencyKey: $k }) { password } }';
const read = "query ($u: ID!) { sipEndpoint(username: $u) { username } }";
const target = "query ($u: ID!) { connectAction(input: { call: [{ user: $u }] }) { pcmo } }";
const phone =
  'query ($from: PiopiyPhoneNumber) { connectAction(input: { call: [{ user: "alice" }], from: $from }) { pcmo } }';
const list = "query ($first: Int) { sipEndpoints(first: $first) { totalCount } }";
const entities =
  "query ($r: [_Any!]!) { _entities(representations: $r) { ... on SipEndpoint { username } } }";

describe("A number in variables that JSON.parse would round", () => {
  it.each([
    ["an ID of a removal", remove, '{"u":9007199254740993}'],
    ["an ID inside an input", removeInput, '{"input":{"username":9007199254740993}}'],
    ["an ID of an update", update, '{"u":9007199254740993}'],
    ["an ID to read", read, '{"u":9007199254740993}'],
    ["an ID of a target", target, '{"u":9007199254740993}'],
    ["the first number to which others are rounded", remove, '{"u":9007199254740992}'],
    ["a negative ID", remove, '{"u":-9007199254740993}'],
    ["an ID with an exponent", remove, '{"u":9007199254740993e0}'],
    ["an ID of 400 digits", remove, `{"u":${"9".repeat(400)}}`],
    ["an ID with a fraction", remove, '{"u":1001.5}'],
    ["an ID with a fraction that rounding removes", remove, '{"u":9007199254740992.5}'],
    ["a phone number", phone, '{"from":9007199254740993}'],
    ["an Int", list, '{"first":9007199254740993}'],
    ["an idempotency key", create, '{"k":9007199254740993}'],
  ])("is rejected without an upstream request: %s", async (_, query, variables) => {
    const { data, errors } = await send(query, variables);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", retryable: false } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["as a variable", '[{"__typename":"SipEndpoint","username":9007199254740993}]'],
    [
      "next to valid ones",
      '[{"__typename":"SipEndpoint","username":"a"},{"__typename":"SipEndpoint","username":1e400}]',
    ],
  ])("is rejected as the key of a reference %s", async (_, representations) => {
    const { errors } = await send(entities, `{"r":${representations}}`);
    expect(errors).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", argumentName: "representations" } },
    ]);
  });

  it("is rejected in the URL of a GET request", async () => {
    const search = new URLSearchParams({ query: read, variables: '{"u":9007199254740993}' });
    const response = await fetch(`${gateway.origin}/graphql?${search}`, {
      headers: { "apollo-require-preflight": "1" },
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("has an error that states what is allowed", async () => {
    const { errors } = await send(remove, '{"u":9007199254740993}');
    expect(errors?.map(({ message }) => message)).toEqual([
      "Variable `$u` must be of type `ID!` (got a whole number too large to be exact). It must be a string, or a whole number " +
        "from -9007199254740991 to 9007199254740991.",
    ]);
  });

  it.each([
    "max_digit",
    "timeout",
    "duration",
    "from",
  ])("is a problem of a PCMO document in %s", async (key) => {
    const action =
      key === "max_digit"
        ? '"input","action_url":"https://a.example"'
        : '"connect","call":[{"type":"sip","user":"a"}]';
    const validate = "query ($p: PCMO!) { validatePcmo(pcmo: $p) { valid problems { pointer } } }";
    const { data } = await send(validate, `{"p":[{"action":${action},"${key}":9007199254740993}]}`);
    expect(data).toEqual({ validatePcmo: { valid: false, problems: [{ pointer: `/0/${key}` }] } });
  });
});

describe("An exact ID", () => {
  it.each<[string, string, string]>([
    ["the largest number", '{"u":9007199254740991}', "9007199254740991"],
    ["a string", '{"u":"9007199254740993"}', "9007199254740993"],
  ])("identifies its endpoint: %s", async (_, variables, username) => {
    await gateway.reset({ endpoints: [{ username }] });
    const { data } = await send(remove, variables);
    expect(data).toEqual({ removeSipEndpoint: { username } });
  });

  it.each([
    ["a literal", "mutation { removeSipEndpoint(input: { username: 9007199254740993 }) { username } }"],
    ["a default value", remove.replace("ID!", "ID! = 9007199254740993")],
  ])("identifies its endpoint: %s of a document", async (_, query) => {
    await gateway.reset({ endpoints: [{ username: ROUNDED }, { username: "9007199254740993" }] });
    const { data } = await send(query, "{}");
    expect(data).toEqual({ removeSipEndpoint: { username: "9007199254740993" } });
  });
});
