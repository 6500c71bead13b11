import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type ResponseError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
afterEach(async () => {
  expect(await gateway.execute("{ __typename }")).toMatchObject({
    status: 200,
    data: { __typename: "Query" },
  });
  expect(gateway.log.filter((line) => line.includes("masked"))).toEqual([]);
});

type Refusal = { status: number; code: string; message: string };

/** Returns the status and the error of a request, whose error must have the request id of the header. */
async function refusal(path: string, init: RequestInit, from = gateway): Promise<Refusal> {
  const response = await fetch(`${from.origin}${path}`, init);
  const { errors } = (await response.json()) as { errors: [ResponseError] };
  const { message, extensions } = errors[0];
  expect(extensions).toMatchObject({
    retryable: false,
    requestId: response.headers.get("x-request-id"),
  });
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  return { status: response.status, code: extensions.code, message };
}

/** Sends bytes unchanged and returns the response. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
  socket.end(bytes);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

const json = { "content-type": "application/json" };
const preflight = { "graphql-require-preflight": "1" };
const good = '{"query":"{ __typename }"}';
const mutation = encodeURIComponent('mutation { removeSipEndpoint(input: { username: "a" }) { username } }');
const post = (body: BodyInit, headers: Record<string, string> = json) => ({ method: "POST", headers, body });

describe("A request that is not a GraphQL request", () => {
  it.each<[string, number, RegExp, RequestInit]>([
    ["invalid JSON", 400, /not valid JSON.*POST \/graphql/, post("{nope")],
    ["an empty body", 400, /body is empty.*POST \/graphql/, post("")],
    ["a JSON string", 422, /must be a JSON object with a `query`/, post('"{ __typename }"')],
    ["a JSON null", 422, /must be a JSON object with a `query`/, post("null")],
    ["an empty object", 422, /needs a `query`, a `documentId` or the extension `persistedQuery`/, post("{}")],
    ["an array", 422, /Batching is disabled/, post(`[${good}]`)],
    ["a number as query", 422, /`query` must be a string \(got a whole number\)/, post('{"query":5}')],
    [
      "variables in a string",
      422,
      /`variables` must be a JSON object \(got a string\)/,
      post('{"query":"{__typename}","variables":"{}"}'),
    ],
    [
      "variables in an array",
      422,
      /`variables` must be a JSON object \(got a list\)/,
      post('{"query":"{__typename}","variables":[]}'),
    ],
    ["a forged prototype", 400, /not valid JSON/, post('{"query":"{__typename}","__proto__":{}}')],
    [
      "a body that is too large",
      413,
      /larger than 100000 bytes \(MAX_BODY_BYTES\).*POST \/graphql/,
      post(JSON.stringify({ query: " ".repeat(2e6) })),
    ],
    [
      "plain text",
      415,
      /content-type must be application\/json/,
      post(good, { "content-type": "text/plain" }),
    ],
    ["an unknown content type", 415, /content-type application\/json/, post(good, { "content-type": "x/y" })],
    [
      "a form",
      415,
      /content-type application\/json/,
      post(new URLSearchParams({ query: "{__typename}" }), {}),
    ],
    [
      "a client that accepts only HTML",
      406,
      /application\/json/,
      post(good, { ...json, accept: "text/html" }),
    ],
    [
      "an unknown version of persisted queries",
      422,
      /`extensions.persistedQuery.version` must be 1/,
      post('{"extensions":{"persistedQuery":{"version":2}}}'),
    ],
  ])("is rejected: %s", async (_, status, message, init) => {
    const refused = await refusal("/graphql", init);
    expect(refused).toMatchObject({ status, code: "BAD_REQUEST" });
    expect(refused.message).toMatch(message);
  });

  it.each<[string, number, RegExp, string, RequestInit]>([
    [
      "a GET without protection against CSRF",
      400,
      /needs the header `graphql-require-preflight`/,
      "/graphql?query={__typename}",
      {},
    ],
    [
      "a GET with a mutation",
      405,
      /can only run a query/,
      `/graphql?query=${mutation}`,
      { headers: preflight },
    ],
    ["a GET without a query", 422, /needs the parameter `query`/, "/graphql", { headers: preflight }],
    ["two queries", 422, /`query` must not be repeated/, "/graphql?query=a&query=b", { headers: preflight }],
    [
      "variables that are not JSON",
      422,
      /`variables` must be a JSON object \(got a string\)/,
      "/graphql?query={a}&variables=%7B",
      { headers: preflight },
    ],
    [
      "another method",
      405,
      /^\/graphql does not accept DELETE\. Use GET or POST\.$/,
      "/graphql",
      { method: "DELETE" },
    ],
  ])("is rejected: %s", async (_, status, message, path, init) => {
    const refused = await refusal(path, init);
    expect(refused).toMatchObject({ status, code: "BAD_REQUEST" });
    expect(refused.message).toMatch(message);
  });

  it.each([
    ["a Host header with a space", "Host: a b", 400, /Host header is not a valid host/],
    ["a Host header that is an incomplete address", "Host: [", 400, /Host header is not a valid host/],
    [
      "a header of 100 kB",
      `Host: localhost\r\nx: ${"y".repeat(100_000)}`,
      431,
      /too large \(HPE_HEADER_OVERFLOW\)/,
    ],
    ["two lengths", "Host: localhost\r\nContent-Length: 9", 400, /not valid HTTP/],
  ])("is rejected when it has %s", async (_, header, status, message) => {
    const head = `POST /graphql HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n${header}`;
    const response = await sendRaw(`${head}\r\nContent-Length: ${good.length}\r\n\r\n${good}`);
    expect(response.split(" ")[1]).toBe(String(status));
    expect(response).toMatch(message);
    expect(JSON.parse(response.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      errors: [{ extensions: { code: "BAD_REQUEST", retryable: false } }],
    });
  });
});

describe("A well-formed request for an invalid operation", () => {
  const query = (text: string, more = {}) => post(JSON.stringify({ query: text, ...more }));

  it.each<[string, number, string, RegExp, RequestInit]>([
    ["an unknown field", 422, "GRAPHQL_VALIDATION_FAILED", /no field `nothing`/, query("{ nothing }")],
    [
      "an incomplete document",
      400,
      "GRAPHQL_PARSE_FAILED",
      /unexpected end of the document at line 1, column 2/,
      query("{"),
    ],
    [
      "a missing variable",
      422,
      "BAD_USER_INPUT",
      /`\$u` must be of type `ID!` \(got no value\)/,
      query("query ($u: ID!) { sipEndpoint(username: $u) { type } }"),
    ],
    [
      "an unknown operation name",
      422,
      "OPERATION_RESOLUTION_FAILURE",
      /no operation of the name in `operationName`/,
      query("query A { __typename }", { operationName: "B" }),
    ],
    [
      "two operations and no `operationName`",
      422,
      "OPERATION_RESOLUTION_FAILURE",
      /2 operations.*`operationName`/,
      query("query A { __typename } query B { __typename }"),
    ],
    ["a subscription", 422, "GRAPHQL_VALIDATION_FAILED", /no subscriptions/, query("subscription { a }")],
    [
      "an unknown persisted query",
      422,
      "PERSISTED_QUERY_NOT_FOUND",
      /PersistedQueryNotFound/,
      post('{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}'),
    ],
    [
      "an empty `operationName`",
      422,
      "OPERATION_RESOLUTION_FAILURE",
      /no operation of the name in `operationName`/,
      query("query A { __typename }", { operationName: "" }),
    ],
    ["an empty document", 400, "GRAPHQL_PARSE_FAILED", /The document is empty/, query("")],
    [
      "a persisted query with an invalid hash",
      422,
      "BAD_REQUEST",
      /`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`/,
      query("{ __typename }", { extensions: { persistedQuery: { version: 1, sha256Hash: "ab" } } }),
    ],
  ])("gets GraphQL errors: %s", async (_, status, code, message, init) => {
    const refused = await refusal("/graphql", init);
    expect(refused).toMatchObject({ status, code });
    expect(refused.message).toMatch(message);
  });

  it("gets GraphQL errors when it is a GET request, too", async () => {
    const refused = await refusal("/graphql?query=%E0%A4%A", { headers: preflight });
    expect(refused).toMatchObject({ status: 400, code: "GRAPHQL_PARSE_FAILED" });
  });
});

describe.each([
  ["is served", "true", " To explore the API in a browser, open /graphiql."],
  ["is disabled", "false", ""],
])("A client at an address without a resource, where GraphiQL %s,", (_, GRAPHIQL, graphiql) => {
  const api = ` The GraphQL API is at /graphql.${graphiql}`;
  let visited: TestGateway;
  beforeAll(async () => {
    visited = await startGateway({ gateway: { GRAPHIQL } });
  });
  afterAll(() => visited.close());

  it.each([
    ["/foo", 404, `No page at /foo.${api}`],
    ["/foo?token=1", 404, `No page at /foo.${api}`],
    ["/graphql/", 404, `No page at this address.${api}`],
    ["/graphql/token-1", 404, `No page at this address.${api}`],
    ["/answer/token-1", 404, `No page at this address.${api}`],
    [`/${"x".repeat(60)}`, 404, `No page at this address.${api}`],
    ["/%E0%A4%A", 404, `No page at this address.${api}`],
    [
      "/graphql",
      422,
      `This is the address of the GraphQL API. A GET request needs the parameter \`query\` and the header \`graphql-require-preflight\`.${graphiql}`,
    ],
  ])("gets a message that names what exists, without POST: %s", async (path, status, message) => {
    expect(await refusal(path, {}, visited)).toEqual({ status, code: "BAD_REQUEST", message });
  });

  it("gets the methods that an address accepts", async () => {
    const put = { method: "PUT" };
    expect((await refusal("/graphql", put, visited)).message).toBe(
      `/graphql does not accept PUT. Use GET or POST.${graphiql}`,
    );
    expect((await refusal("/health/live", put, visited)).message).toBe(
      `/health/live does not accept PUT. Use GET or HEAD.${api}`,
    );
    expect((await refusal("/", { method: "POST" }, visited)).message).toBe(
      `/ does not accept POST. Use GET or HEAD.${api}`,
    );
    expect((await refusal("/foo", put, visited)).message).toBe(`No resource at /foo.${api}`);
  });
});
