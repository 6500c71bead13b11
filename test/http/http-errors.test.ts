import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type AnswerError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
afterEach(async () => {
  expect(await gateway.ask("{ __typename }")).toMatchObject({ status: 200, data: { __typename: "Query" } });
  expect(gateway.log.filter((line) => line.includes("masked"))).toEqual([]);
});

type Refusal = { status: number; code: string; message: string };

/** What a request was refused with; its error bears the request id of the header. */
async function refusal(path: string, init: RequestInit): Promise<Refusal> {
  const response = await fetch(`${gateway.origin}${path}`, init);
  const { errors } = (await response.json()) as { errors: [AnswerError] };
  const { message, extensions } = errors[0];
  expect(extensions).toMatchObject({
    retryable: false,
    requestId: response.headers.get("x-request-id"),
  });
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  return { status: response.status, code: extensions.code, message };
}

/** Sends bytes as they stand. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
  socket.end(bytes);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

const json = { "content-type": "application/json" };
const preflight = { "apollo-require-preflight": "1" };
const good = '{"query":"{ __typename }"}';
const mutation = encodeURIComponent('mutation { removeSipEndpoint(input: { username: "a" }) { username } }');
const post = (body: BodyInit, headers: Record<string, string> = json) => ({ method: "POST", headers, body });

describe("A request that is no GraphQL request", () => {
  it.each<[string, number, RegExp, RequestInit]>([
    ["not JSON", 400, /not valid JSON.*POST \/graphql/, post("{nope")],
    ["empty", 400, /body is empty.*POST \/graphql/, post("")],
    ["a JSON text", 400, /must be a JSON object with a `query`/, post('"{ __typename }"')],
    ["a JSON null", 400, /must be a JSON object with a `query`/, post("null")],
    ["an empty object", 400, /must be a JSON object with a `query`/, post("{}")],
    ["an array", 400, /Batching is disabled/, post(`[${good}]`)],
    ["without a query", 400, /non-empty `query`/, post('{"query":""}')],
    ["with a number as query", 400, /`query` must be a string/, post('{"query":5}')],
    [
      "with variables in a text",
      400,
      /`variables` must be an object/,
      post('{"query":"{__typename}","variables":"{}"}'),
    ],
    [
      "with variables in an array",
      400,
      /`variables` must be an object/,
      post('{"query":"{__typename}","variables":[]}'),
    ],
    ["with a forged prototype", 400, /not valid JSON/, post('{"query":"{__typename}","__proto__":{}}')],
    [
      "too large",
      413,
      /larger than 100000 bytes \(MAX_BODY_BYTES\).*POST \/graphql/,
      post(JSON.stringify({ query: " ".repeat(2e6) })),
    ],
    ["in words", 400, /content-type/, post(good, { "content-type": "text/plain" })],
    [
      "of a type that nobody knows",
      415,
      /content-type application\/json/,
      post(good, { "content-type": "x/y" }),
    ],
    [
      "a form",
      415,
      /content-type application\/json/,
      post(new URLSearchParams({ query: "{__typename}" }), {}),
    ],
    ["for other eyes", 406, /application\/json/, post(good, { ...json, accept: "text/html" })],
    [
      "of a version to come",
      400,
      /`extensions.persistedQuery.version` must be 1/,
      post('{"extensions":{"persistedQuery":{"version":2}}}'),
    ],
  ])("is refused when its body is %s", async (_, status, message, init) => {
    const refused = await refusal("/graphql", init);
    expect(refused).toMatchObject({ status, code: "BAD_REQUEST" });
    expect(refused.message).toMatch(message);
  });

  it.each<[string, number, RegExp, string, RequestInit]>([
    ["GET without a sign of no forgery", 400, /apollo-require-preflight/, "/graphql?query={__typename}", {}],
    [
      "GET with a mutation",
      405,
      /can only run a query/,
      `/graphql?query=${mutation}`,
      { headers: preflight },
    ],
    ["GET without a query", 400, /non-empty `query`/, "/graphql", { headers: preflight }],
    ["two queries", 400, /`query` may be given once/, "/graphql?query=a&query=b", { headers: preflight }],
    [
      "variables that are not JSON",
      400,
      /`variables` must be an object in JSON/,
      "/graphql?query={a}&variables=%7B",
      { headers: preflight },
    ],
    ["an address that cannot be read", 404, /POST \/graphql/, "/%E0%A4%A", {}],
    ["an unknown address", 404, /no GET \/nothing here.*POST \/graphql/, "/nothing?token=1", {}],
    ["an unknown method", 404, /no DELETE \/graphql here/, "/graphql", { method: "DELETE" }],
    ["GraphiQL where it is off", 404, /no GET \/graphiql here/, "/graphiql", {}],
  ])("is refused when it is %s", async (_, status, message, path, init) => {
    const refused = await refusal(path, init);
    expect(refused).toMatchObject({ status, code: "BAD_REQUEST" });
    expect(refused.message).toMatch(message);
  });

  it.each([
    ["a Host header with a space", "Host: a b", 400, /Host header names no host/],
    ["a Host header that is half an address", "Host: [", 400, /Host header names no host/],
    ["an endless header", `Host: localhost\r\nx: ${"y".repeat(100_000)}`, 431, /HPE_HEADER_OVERFLOW/],
    ["two lengths", "Host: localhost\r\nContent-Length: 9", 400, /not HTTP that the gateway can read/],
  ])("is refused when it has %s", async (_, header, status, message) => {
    const head = `POST /graphql HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n${header}`;
    const answer = await sendRaw(`${head}\r\nContent-Length: ${good.length}\r\n\r\n${good}`);
    expect(answer.split(" ")[1]).toBe(String(status));
    expect(answer).toMatch(message);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      errors: [{ extensions: { code: "BAD_REQUEST", retryable: false } }],
    });
  });
});

describe("A well-formed request for an impossible operation", () => {
  const query = (text: string, more = {}) => post(JSON.stringify({ query: text, ...more }));

  it.each<[string, number, string, RegExp, RequestInit]>([
    [
      "a field that is not there",
      200,
      "GRAPHQL_VALIDATION_FAILED",
      /no field `nothing`/,
      query("{ nothing }"),
    ],
    [
      "a document that ends too early",
      200,
      "GRAPHQL_PARSE_FAILED",
      /unexpected end of the document at line 1, column 2/,
      query("{"),
    ],
    [
      "a variable that is missing",
      200,
      "BAD_USER_INPUT",
      /`\$u` must be of type `ID!`, and is missing/,
      query("query ($u: ID!) { sipEndpoint(username: $u) { type } }"),
    ],
    [
      "an operation that is not there",
      400,
      "OPERATION_RESOLUTION_FAILURE",
      /no operation of the name in `operationName`/,
      query("query A { __typename }", { operationName: "B" }),
    ],
    [
      "one of two operations",
      400,
      "OPERATION_RESOLUTION_FAILURE",
      /2 operations.*`operationName`/,
      query("query A { __typename } query B { __typename }"),
    ],
    ["a subscription", 200, "BAD_REQUEST", /no subscriptions/, query("subscription { a }")],
    [
      "a stored query that is not there",
      200,
      "PERSISTED_QUERY_NOT_FOUND",
      /PersistedQueryNotFound/,
      post('{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}'),
    ],
    [
      "a stored query under a wrong hash",
      400,
      "BAD_REQUEST",
      /`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`/,
      query("{ __typename }", { extensions: { persistedQuery: { version: 1, sha256Hash: "ab" } } }),
    ],
  ])("is answered with errors: %s", async (_, status, code, message, init) => {
    const refused = await refusal("/graphql", init);
    expect(refused).toMatchObject({ status, code });
    expect(refused.message).toMatch(message);
  });

  it("in the address is answered with errors too", async () => {
    const refused = await refusal("/graphql?query=%E0%A4%A", { headers: preflight });
    expect(refused).toMatchObject({ status: 200, code: "GRAPHQL_PARSE_FAILED" });
  });
});
