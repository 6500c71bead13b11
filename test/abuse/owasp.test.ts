import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { post, production, send, withGateway } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: production });
});
afterAll(() => gateway.close());
afterEach(() => gateway.reset());

const injections = [
  "' OR '1'='1' --",
  '"}, "appid": 1, "x": {"',
  '{"$ne": null}',
  "../../list_sip?all=1#",
  "<script>alert(1)</script>",
  "%00%0d%0aX-Made-Up: 1",
  "a\r\nX-Made-Up: 1",
  "nul\u0000",
  "$(reboot)`reboot`",
  "{{7*7}}#{7*7}",
];
const read = "query ($username: ID!) { sipEndpoint(username: $username) { type } }";
const create =
  "mutation ($input: CreateSipEndpointInput!) { createSipEndpoint(input: $input) { userErrors { code } } }";
const connect = "query ($input: ConnectActionInput!) { connectAction(input: $input) { pcmo } }";

describe("Input Validation", () => {
  it.each(
    injections,
  )("an allow-list of characters: no endpoint can be created with the name %j", async (username) => {
    const { data } = await gateway.execute(create, { input: { username } });
    expect(data).toEqual({ createSipEndpoint: { userErrors: [{ code: "INVALID_USERNAME" }] } });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    { call: [{ user: "alice" }], ringType: "EVERYBODY" },
    { call: [{ user: "alice", type: 1 }] },
    { call: [{ user: { username: "alice" } }] },
    { call: [{ user: "alice" }], timeout: "canary" },
    { call: [{ user: "alice" }], timeout: 1e12 },
    { call: [{ user: "alice" }], from: ["canary"] },
    { call: null },
    "canary",
  ])("types, enums and scalars: an input of %j is rejected, and no value is repeated", async (input) => {
    const { data, errors } = await gateway.execute(connect, { input });
    expect(data).toBeUndefined();
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["BAD_USER_INPUT"]);
    expect(JSON.stringify(errors)).not.toMatch(/canary|1000000000000/);
  });

  it.each(
    injections.filter((name) => /\p{Cc}/u.test(name)),
  )("injection prevention: %j has control characters and is not sent", async (username) => {
    const { data, errors } = await gateway.execute(read, { username });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", argumentName: "username" } }]);
    expect(data).toEqual({ sipEndpoint: null });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each(
    injections.filter((name) => !/\p{Cc}/u.test(name)),
  )("injection prevention: %j is sent to PIOPIY as a username only", async (username) => {
    const { data, errors } = await gateway.execute(read, { username });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ sipEndpoint: null });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username }]);
  });

  it.each([
    'mutation { createSipEndpoint(input: { username: "new", video: true }) { password } }',
    'mutation { createSipEndpoint(input: { username: "new", appid: 1, secret: "made-up" }) { password } }',
    'mutation { updateSipEndpoint(input: { username: "alice", newUsername: "root" }) { password } }',
    'mutation { removeSipEndpoint(input: { username: "alice" }, force: true) { username } }',
  ])("mass assignment: a field outside the schema is rejected and not sent upstream: %s", async (query) => {
    const { data, errors } = await gateway.execute(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("mass assignment: a field outside the schema is rejected in a variable too", async () => {
    const { data, errors } = await gateway.execute(create, { input: { username: "new", audio: false } });
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("Secure Configurations", () => {
  it("introspection and GraphiQL: both are off by default", async () => {
    await withGateway({ INTROSPECTION: "", GRAPHIQL: "" }, async (bare) => {
      const { errors } = await bare.execute("{ __schema { queryType { name } } }");
      expect(errors?.[0]?.message).toMatch(/^Introspection is off here/);
      expect((await fetch(`${bare.origin}/graphiql`)).status).toBe(404);
    });
  });

  it.each([
    { kind: "garbage", times: 3 },
    { kind: "reset", times: 3 },
    { kind: "status", status: 500, times: 3 },
    { kind: "status", status: 404 },
  ])("excessive errors: no stack trace is returned when PIOPIY fails with %j", async (fault) => {
    await gateway.addFault(fault);
    const { text, errors } = await send(
      `${gateway.origin}/graphql`,
      post({ query: read, variables: { username: "alice" } }),
    );
    expect(errors?.[0]?.extensions.code).toMatch(/^UPSTREAM_/);
    expect(text).not.toMatch(/stack|exception|node_modules|\.[jt]s\b|\bat \w+ \(|127\.0\.0\.1/i);
  });
});

describe("Cross-site request forgery", () => {
  const query = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';
  const form = new FormData();
  form.set("operations", JSON.stringify({ query }));
  form.set("map", "{}");
  const inWords = { "content-type": "text/plain" };

  it.each<[string, RequestInit]>([
    ["text/plain", { headers: inWords, body: JSON.stringify({ query }) }],
    [
      "text/plain with a parameter",
      { headers: { "content-type": "text/plain; a=application/json" }, body: JSON.stringify({ query }) },
    ],
    ["a form", { body: new URLSearchParams({ query }) }],
    ["a multipart form", { body: form }],
    ["no content type", { body: new Blob([JSON.stringify({ query })]) }],
  ])("a page cannot execute a mutation without a preflight: %s", async (_, init) => {
    const { status, text } = await send(`${gateway.origin}/graphql`, { method: "POST", ...init });
    expect(status).toBe(415);
    expect(text).not.toContain('"data"');
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("a page of another origin gets no CORS headers, also not for a preflight", async () => {
    const origin = "https://evil.example";
    const { headers } = await send(
      `${gateway.origin}/graphql`,
      post({ query: "{ __typename }" }, { origin }),
    );
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    const requested = await send(`${gateway.origin}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(requested.status).toBe(405);
  });
});
