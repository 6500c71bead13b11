import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { limitsOf, post, production, send, type TextResponse, times } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: production });
});
afterAll(() => gateway.close());
afterEach(async () => {
  expect(await gateway.upstreamRequests()).toEqual([]);
});

const graphql = (init: RequestInit, query = ""): Promise<TextResponse> =>
  send(`${gateway.origin}/graphql${query}`, init);
const execute = (query: string, headers = {}): Promise<TextResponse> => graphql(post({ query }, headers));
const preflight = { headers: { "apollo-require-preflight": "true" } };
const removal = 'mutation cop { removeSipEndpoint(input: { username: "alice" }) { username } }';
const inside = (query: string) => `?query=${encodeURIComponent(query)}`;

/** The checks of graphql-cop, with their names and in their order. */
const typenameResponse =
  /^\{"data":\{"__typename":"Query"\},"extensions":\{"cost":\{"requested":1(,"remaining":\d+)?\}\}\}\n$/;

describe("graphql-cop finds no", () => {
  it("alias overloading: 101 aliases are rejected, and the error names the limit", async () => {
    const { text, errors } = await execute(
      `query cop { ${times(101, (index) => `alias${index}: __typename`)} }`,
    );
    expect(text).not.toContain('"data"');
    expect(limitsOf(errors)).toContain("MAX_ALIASES");
    expect(errors?.[0]?.message).toContain("101 aliases");
  });

  it("array-based query batching: twelve operations in one body are rejected", async () => {
    const { status, text } = await graphql(post(Array(12).fill({ query: "query cop { __typename }" })));
    expect(status).toBe(422);
    expect(text).toContain("Batching is disabled");
    expect(text).not.toContain('"data"');
  });

  it.each([
    10, 20,
  ])("directive overloading: %i unknown directives cause fewer than ten errors", async (count) => {
    const { errors } = await execute(`query cop { __typename ${"@aa".repeat(count)} }`);
    expect(errors?.length).toBeGreaterThan(0);
    expect(errors?.length).toBeLessThan(10);
  });

  it("directive overloading: more directives than allowed cause one error, which names the limit", async () => {
    const { errors } = await execute(`query cop { __typename ${"@aa".repeat(21)} }`);
    expect(limitsOf(errors)).toEqual(["MAX_DIRECTIVES"]);
    expect(errors?.[0]?.message).toContain("MAX_DIRECTIVES");
  });

  it("circular query by introspection: introspection is off", async () => {
    const circle = "fields { type { ".repeat(4);
    const { text } = await execute(`query cop { __schema { types { ${circle} name ${"} }".repeat(4)} } } }`);
    expect(text).toContain("Introspection is off");
    expect(text).not.toContain('"data"');
  });

  it.each([
    "{ __schema { types { name fields { name } } } }",
    '{ __type(name: "Query") { fields { name } } }',
    "{ ... { ...A } } fragment A on Query { schema: __schema { directives { name } } }",
  ])("introspection: %s is rejected", async (query) => {
    const { text, errors } = await execute(query);
    expect(text).not.toContain('"data"');
    expect(errors?.[0]?.extensions.validationErrorCode).toBe("INTROSPECTION_DISABLED");
  });

  it.each([
    "?query={__typename}",
    inside("query cop { __typename }"),
  ])("GET based query (possible CSRF): %s needs a header that no form can send", async (query) => {
    const { status, text } = await graphql({}, query);
    expect(status).toBe(400);
    expect(text).toContain("graphql-require-preflight");
    expect(text).not.toContain('"data"');
    expect((await graphql(preflight, query)).text).toMatch(typenameResponse);
  });

  it("GET based mutation: it is rejected as CSRF, and with the preflight header as a mutation", async () => {
    expect((await graphql({}, inside(removal))).status).toBe(400);
    const { status, headers, text } = await graphql(preflight, inside(removal));
    expect(status).toBe(405);
    expect(headers.get("allow")).toBe("POST");
    expect(text).not.toContain('"data"');
  });

  it("POST based url-encoded query: a form is rejected", async () => {
    const { status, text } = await graphql({
      method: "POST",
      body: new URLSearchParams({ query: "query cop { __typename }" }),
    });
    expect(status).toBe(415);
    expect(text).not.toContain('"data"');
  });

  it.each([
    "/",
    "/graphiql",
    "/playground",
    "/console",
    "/graphql",
  ])("GraphiQL or playground: GET %s returns a page without a script at most", async (path) => {
    const response = await fetch(`${gateway.origin}${path}`, { headers: { accept: "text/html" } });
    const text = await response.text();
    expect(text).not.toMatch(/<script|<link|<iframe|graphql-playground|cdn|sandbox/i);
  });

  it.each([
    {},
    { "apollo-federation-include-trace": "ftv1" },
    { "x-apollo-tracing": "1" },
  ])("trace mode: the response to a request with %j contains no durations", async (headers) => {
    expect((await execute("query cop { __typename }", headers)).text).toMatch(typenameResponse);
    expect((await execute("query cop { nothing }", headers)).text).not.toMatch(/tracing|ftv1|duration/i);
  });

  it.each([
    "qwerty cop { abc }",
    "{ abc",
    "query cop { abc }",
    "query cop($a: [) { a }",
    "\u0000",
  ])("unhandled error: %j causes a GraphQL error without a stack trace", async (query) => {
    const { status, text, errors } = await execute(query);
    const code = errors?.[0]?.extensions.code;
    expect([`${status} ${code}`]).toEqual([
      expect.stringMatching(/^(400 GRAPHQL_PARSE_FAILED|422 GRAPHQL_VALIDATION_FAILED)$/),
    ]);
    expect(text).not.toMatch(/exception|stack|node_modules|\.[jt]s\b|at Object\.|at async/i);
  });

  it("field duplication: a field that is repeated 500 times is rejected, and the error names the limit", async () => {
    const { text, errors } = await execute(`query cop { ${times(500, () => "__typename")} }`);
    expect(text).not.toContain('"data"');
    expect(limitsOf(errors)).toContain("MAX_ALIASES");
    expect(errors?.[0]?.message).toContain("499 repeated fields");
  });
});
