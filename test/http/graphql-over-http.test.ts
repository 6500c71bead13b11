import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { makeKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { type ResponseError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const GRAPHQL = "application/graphql-response+json";
const JSON_TYPE = "application/json";
const mediaTypes = [GRAPHQL, JSON_TYPE];

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Received {
  readonly status: number | undefined;
  readonly statusText: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: { data?: unknown; errors?: ResponseError[] };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: apiKeys({ writer: "sip:read+sip:write" }) });
});
afterAll(() => gateway.close());

async function send(sent: Sent, to: TestGateway = gateway): Promise<Received> {
  const { method = "POST", path = "/graphql", headers, body } = sent;
  const outgoing = request(`${to.origin}${path}`, { method, headers });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const text = Buffer.concat(await response.toArray()).toString();
  return {
    status: response.statusCode,
    statusText: response.statusMessage,
    headers: response.headers,
    body: text && JSON.parse(text),
  };
}

const writer = bearer("writer");
const preflight = { "graphql-require-preflight": "1" };

/** A POST request with this body. */
const post = (body: unknown, headers: Record<string, string> = {}): Sent => ({
  headers: { "content-type": JSON_TYPE, ...writer, ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});
/** A POST request for this document. */
const query = (text: unknown, more: object = {}) => post({ query: text, ...more });
/** A GET request with these parameters. */
const get = (parameters: string, headers: Record<string, string> = preflight): Sent => ({
  method: "GET",
  path: `/graphql${parameters && `?${parameters}`}`,
  headers: { ...writer, ...headers },
});

const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { userErrors { code } } }';
const two = "query A { __typename } query B { __typename }";
const byName = "query ($u: ID!) { sipEndpoint(username: $u) { type } }";
const hash = "f".repeat(64);
const persisted = (persistedQuery: unknown) => post({ extensions: { persistedQuery } });

/** Requests for valid operations, and the codes of the errors in the response. */
const executed: [string, string[], Sent][] = [
  ["no error", [], query("{ __typename }")],
  ["no error, by GET", [], get("query={__typename}")],
  ["null for each optional parameter", [], query("{ __typename }", nulls("operationName"))],
  ["unknown parameters", [], query("{ __typename }", { doc_id: 7, id: null, batch: [] })],
  ["an empty text for each optional parameter of a URL", [], get(empty("query={__typename}"))],
  ["null as variables in a URL", [], get("query={__typename}&variables=null&extensions=null")],
  ["unknown parameters in a URL", [], get("query={__typename}&id=7&id=8&=")],
  ["an operation of the name null", [], get("query=query+null{__typename}&operationName=null")],
  ["the other preflight header", [], get("query={__typename}", { "apollo-require-preflight": "1" })],
  [
    "a content type in place of a preflight header",
    [],
    get("query={__typename}", { "content-type": JSON_TYPE }),
  ],
  [
    "a field that the client may not read",
    ["FORBIDDEN"],
    query('{ sipEndpoint(username: "alice") { password } }'),
  ],
  ["an invalid argument", ["BAD_USER_INPUT"], query("{ sipEndpoints(first: -1) { totalCount } }")],
  ["an invalid argument, by GET", ["BAD_USER_INPUT"], get("query={sipEndpoints(first:-1){totalCount}}")],
];

function nulls(...more: string[]): object {
  return Object.fromEntries(["variables", "extensions", "documentId", ...more].map((name) => [name, null]));
}

function empty(parameters: string): string {
  return `${parameters}&operationName=&variables=&extensions=&documentId=`;
}

type Rejection = [what: string, status: number, code: string, sent: Sent, headers?: IncomingHttpHeaders];

/** Requests that are rejected. */
const rejected: Rejection[] = [
  ["a body that is not JSON", 400, "BAD_REQUEST", post("NONSENSE")],
  ["incomplete JSON", 400, "BAD_REQUEST", post('{"query":')],
  ["an empty body", 400, "BAD_REQUEST", post("")],
  ["a document that does not parse", 400, "GRAPHQL_PARSE_FAILED", query("{")],
  ["an empty document", 400, "GRAPHQL_PARSE_FAILED", query("")],
  ["an empty document, by GET", 400, "GRAPHQL_PARSE_FAILED", get("query=")],
  ["a document of spaces", 400, "GRAPHQL_PARSE_FAILED", query(" ")],
  ["a GET request without a preflight header", 400, "BAD_REQUEST", get("query={__typename}", {})],
  [
    "no credential",
    401,
    "UNAUTHENTICATED",
    { ...query("{a}"), headers: { "content-type": JSON_TYPE } },
    challenge(),
  ],
  ["a wrong credential", 401, "UNAUTHENTICATED", post({}, bearer("wrong")), challenge()],
  ["a mutation by GET", 405, "BAD_REQUEST", get(`query=${encodeURIComponent(remove)}`), { allow: "POST" }],
  ["DELETE", 405, "BAD_REQUEST", { method: "DELETE", headers: writer }, { allow: "GET, POST" }],
  [
    "PUT with a body",
    405,
    "BAD_REQUEST",
    { ...query("{__typename}"), method: "PUT" },
    { allow: "GET, POST" },
  ],
  ["OPTIONS", 405, "BAD_REQUEST", { method: "OPTIONS" }, { allow: "GET, POST" }],
  ["QUERY", 405, "BAD_REQUEST", { ...query("{__typename}"), method: "QUERY" }, { allow: "GET, POST" }],
  ["POST of a health route", 405, "BAD_REQUEST", { path: "/health/live" }, { allow: "GET, HEAD" }],
  ["an unknown path", 404, "BAD_REQUEST", { path: "/nothing" }],
  ["a body that is too large", 413, "BAD_REQUEST", query(" ".repeat(200_000))],
  ["plain text", 415, "BAD_REQUEST", post('{"query":"{__typename}"}', { "content-type": "text/plain" })],
  [
    "plain text with a preflight header",
    415,
    "BAD_REQUEST",
    post("{}", { "content-type": "text/plain", ...preflight }),
  ],
  [
    "a form",
    415,
    "BAD_REQUEST",
    post("query={__typename}", { "content-type": "application/x-www-form-urlencoded" }),
  ],
  ["the media type of a response", 415, "BAD_REQUEST", post("{}", { "content-type": GRAPHQL })],
  ["no content type", 415, "BAD_REQUEST", { headers: writer, body: '{"query":"{__typename}"}' }],
  ["neither content type nor body", 415, "BAD_REQUEST", { headers: writer }],
  ["another charset", 415, "BAD_REQUEST", post("{}", { "content-type": `${JSON_TYPE}; charset=utf-16` })],
  [
    "a compressed body",
    415,
    "BAD_REQUEST",
    post("{}", { "content-encoding": "gzip" }),
    { "accept-encoding": "identity" },
  ],
  [
    "a GET request with another content type",
    415,
    "BAD_REQUEST",
    get("query={a}", { "content-type": "text/plain" }),
  ],
  ["an empty object", 422, "BAD_REQUEST", post({})],
  ["a parameter of another name", 422, "BAD_REQUEST", post({ document: "{__typename}" })],
  ["only null parameters", 422, "BAD_REQUEST", post(nulls("query"))],
  ["a number as query", 422, "BAD_REQUEST", query(7)],
  ["a list as variables", 422, "BAD_REQUEST", query("{__typename}", { variables: [7] })],
  ["a string as variables", 422, "BAD_REQUEST", query("{__typename}", { variables: "{}" })],
  ["a boolean as extensions", 422, "BAD_REQUEST", query("{__typename}", { extensions: false })],
  ["a number as operationName", 422, "BAD_REQUEST", query("{__typename}", { operationName: 0 })],
  ["a number as documentId", 422, "BAD_REQUEST", post({ documentId: 7 })],
  ["a batch", 422, "BAD_REQUEST", post([{ query: "{__typename}" }])],
  ["a JSON string", 422, "BAD_REQUEST", post('"{ __typename }"')],
  ["a JSON null", 422, "BAD_REQUEST", post("null")],
  [
    "too deep JSON",
    422,
    "BAD_REQUEST",
    post(`{"query":"{a}","variables":${"[".repeat(99)}${"]".repeat(99)}}`),
  ],
  ["too deep JSON in a URL", 422, "BAD_REQUEST", get(`query={a}&variables=${"[".repeat(99)}`)],
  ["a string as persistedQuery", 422, "BAD_REQUEST", persisted(hash)],
  ["another version of persistedQuery", 422, "BAD_REQUEST", persisted({ version: 2, sha256Hash: hash })],
  ["persistedQuery without a hash", 422, "BAD_REQUEST", persisted({ version: 1 })],
  ["the hash of another document", 422, "BAD_REQUEST", query("{__typename}", { documentId: hash })],
  ["GET without parameters", 422, "BAD_REQUEST", get("")],
  ["GET with empty parameters", 422, "BAD_REQUEST", get(empty(""))],
  ["a repeated parameter", 422, "BAD_REQUEST", get("query={a}&query={a}")],
  ["variables in a URL that are not JSON", 422, "BAD_REQUEST", get("query={a}&variables={")],
  ["a list as variables in a URL", 422, "BAD_REQUEST", get("query={a}&variables=[]")],
  ["a document that is not valid", 422, "GRAPHQL_VALIDATION_FAILED", query("{ nothing }")],
  [
    "a document that exceeds a limit",
    422,
    "GRAPHQL_VALIDATION_FAILED",
    query(`{${"__typename ".repeat(90)}}`),
  ],
  ["a subscription", 422, "GRAPHQL_VALIDATION_FAILED", query("subscription { a }")],
  ["a subscription by GET", 422, "GRAPHQL_VALIDATION_FAILED", get("query=subscription{a}")],
  ["several operations without a name", 422, "OPERATION_RESOLUTION_FAILURE", query(two)],
  ["an unknown operation", 422, "OPERATION_RESOLUTION_FAILURE", query(two, { operationName: "C" })],
  ["an empty operation name", 422, "OPERATION_RESOLUTION_FAILURE", query(two, { operationName: "" })],
  ["no operation", 422, "GRAPHQL_VALIDATION_FAILED", query("fragment F on Query { __typename }")],
  ["a missing variable", 422, "BAD_USER_INPUT", query(byName)],
  ["a variable of another type", 422, "BAD_USER_INPUT", query(byName, { variables: { u: [] } })],
  ["an unknown hash", 422, "PERSISTED_QUERY_NOT_FOUND", persisted({ version: 1, sha256Hash: hash })],
  ["an unknown documentId", 422, "PERSISTED_QUERY_NOT_FOUND", post({ documentId: `sha256:${hash}` })],
  ["an unknown documentId, by GET", 422, "PERSISTED_QUERY_NOT_FOUND", get(`documentId=${hash}`)],
];

function challenge(): IncomingHttpHeaders {
  return { "www-authenticate": "Bearer" };
}

/** Returns which of `errors` and `data` a response has. */
const resultOf = (body: object) => Object.keys(body).filter((name) => name !== "extensions");

/** Expects that a response has only errors, which have this code and the request id. */
function expectRejection({ headers, body }: Received, type: string, code: string): void {
  expect(headers["content-type"]).toBe(`${type}; charset=utf-8`);
  expect(resultOf(body)).toEqual(["errors"]);
  const requestId = headers["x-request-id"];
  for (const { message, extensions } of body.errors ?? []) {
    expect(message).toMatch(/\.$|^PersistedQueryNotFound$/);
    expect(extensions).toMatchObject({ code, requestId });
  }
  expect(body.errors).not.toHaveLength(0);
}

describe.each(mediaTypes)("A client that accepts %s", (accept) => {
  const withAccept = (sent: Sent) => ({ ...sent, headers: { ...sent.headers, accept } });
  const partial = accept === GRAPHQL ? [294, "Partial Success"] : [200, "OK"];

  it.each(executed)("gets data for an operation with %s", async (_, codes, sent) => {
    const { status, statusText, headers, body } = await send(withAccept(sent));
    expect([status, statusText]).toEqual(codes.length > 0 ? partial : [200, "OK"]);
    expect(headers["content-type"]).toBe(`${accept}; charset=utf-8`);
    expect(resultOf(body)).toEqual(codes.length > 0 ? ["errors", "data"] : ["data"]);
    expect((body.errors ?? []).map(({ extensions }) => extensions.code)).toEqual(codes);
  });

  it.each(rejected)("gets only errors for %s: %i %s", async (_, status, code, sent, headers = {}) => {
    const received = await send(withAccept(sent));
    expect(received.status).toBe(status);
    expectRejection(received, accept, code);
    expect(received.headers).toMatchObject(headers);
  });

  it("gets only errors for a foreign host: 403 FORBIDDEN", async () => {
    const open = await startGateway();
    try {
      const received = await send(withAccept(post({}, { host: "other.example" })), open);
      expect(received.status).toBe(403);
      expectRejection(received, accept, "FORBIDDEN");
    } finally {
      await open.close();
    }
  });

  it("gets only errors beyond its rate limit: 429 RATE_LIMITED with Retry-After", async () => {
    const poor = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "20" } });
    try {
      const read = query('{ sipEndpoint(username: "alice") { username sipUri } }');
      const invalid = query("{");
      const statuses: unknown[] = [];
      // The third operation is rejected before it is executed, and the last request before its body is read.
      for (const sent of [read, read, read, invalid, invalid, invalid, invalid]) {
        const received = await send(withAccept(sent), poor);
        statuses.push(received.status);
        if (received.status !== 429) continue;
        expectRejection(received, accept, "RATE_LIMITED");
        expect(Number(received.headers["retry-after"])).toBeGreaterThan(0);
      }
      expect(statuses).toEqual([200, 200, 429, 400, 400, 400, 429]);
    } finally {
      await poor.close();
    }
  });

  it("gets only errors while tokens cannot be verified: 503 UPSTREAM_UNAVAILABLE", async () => {
    const issuer = await startIssuer();
    const guarded = await startGateway({ gateway: issuer.settings });
    try {
      issuer.respond((response) => response.writeHead(500).end());
      const token = await sign(await makeKey("key-1"));
      const received = await send(withAccept(post({}, bearer(token))), guarded);
      expect(received.status).toBe(503);
      expectRejection(received, accept, "UPSTREAM_UNAVAILABLE");
    } finally {
      await guarded.close();
      await issuer.close();
    }
  });
});

describe("A client that does not send the body in 30 seconds", () => {
  it("gets 408 in the media type that it accepts", async () => {
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\nauthorization: ${writer.authorization}\r\ncontent-type: ${JSON_TYPE}`;
    const responses = await Promise.all(
      mediaTypes.map((accept) => sendBytes(`${head}\r\naccept: ${accept}\r\ncontent-length: 9\r\n\r\n{`)),
    );
    for (const [index, accept] of mediaTypes.entries()) expectBytes(responses[index], 408, accept);
  });
});

describe("A request of HTTP/1.1 without Host", () => {
  it.each(mediaTypes)("gets 400 in the media type that the client accepts: %s", async (accept) => {
    const head = `GET /graphql?query={__typename} HTTP/1.1\r\nconnection: close\r\naccept: ${accept}\r\n\r\n`;
    expectBytes(await sendBytes(head), 400, accept);
  });
});

describe("A response to headers that Node.js cannot parse", () => {
  it.each([
    [
      "a URL that is too long",
      414,
      `GET /graphql?query=${"a".repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    ],
    [
      "too large headers",
      431,
      `GET /graphql HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}\r\n\r\n`,
    ],
    ["invalid HTTP", 400, `POST /graphql HTTP/9.9\r\nhost: localhost\r\naccept: ${GRAPHQL}\r\n\r\n`],
  ])("has the media type of a response without Accept: %s", async (_, status, bytes) => {
    expectBytes(await sendBytes(bytes), status, JSON_TYPE);
  });
});

/** Sends bytes unchanged, and returns all bytes that the gateway sends until it closes the connection. */
async function sendBytes(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
  socket.write(bytes);
  return Buffer.concat(await socket.toArray()).toString();
}

function expectBytes(response: string | undefined, status: number, type: string): void {
  expect(response).toMatch(`HTTP/1.1 ${status} `);
  expect(response).toMatch(`content-type: ${type}; charset=utf-8`);
  const body = JSON.parse(response?.split("\r\n\r\n")[1] ?? "");
  expect(Object.keys(body)).toEqual(["errors"]);
  expect(body.errors).toMatchObject([{ message: expect.any(String), extensions: { code: "BAD_REQUEST" } }]);
}

describe("A client that accepts neither media type", () => {
  it.each(["text/html", "application/xml", `${GRAPHQL};q=0`])("gets 406 for %s", async (accept) => {
    const received = await send({ ...query("{__typename}"), headers: { ...post({}).headers, accept } });
    expect(received.status).toBe(406);
    expectRejection(received, JSON_TYPE, "BAD_REQUEST");
  });
});

describe("A client without a preference", () => {
  it.each([undefined, "*/*", "application/*"])("gets application/json: %s", async (accept) => {
    const headers = { ...post({}).headers, ...(accept && { accept }) };
    const failed = await send({ ...query('{ sipEndpoint(username: "alice") { password } }'), headers });
    expect([failed.status, failed.headers["content-type"]]).toEqual([200, `${JSON_TYPE}; charset=utf-8`]);
    const { status } = await send({ ...query("{ nothing }"), headers });
    expect(status).toBe(422);
  });
});

describe("docs/errors.md", () => {
  it("describes all these statuses", () => {
    const rows = readFileSync("docs/errors.md", "utf8").match(/^\| \d{3}[^|]*\|/gm) ?? [];
    const described = new Set(rows.flatMap((row) => row.match(/\d{3}/g) ?? []).map(Number));
    const statuses = [
      200,
      294,
      403,
      406,
      408,
      414,
      429,
      431,
      500,
      503,
      ...rejected.map(([, status]) => status),
    ];
    expect([...described].sort()).toEqual([...new Set(statuses)].sort());
  });
});

describe("HEAD", () => {
  it("is rejected for the GraphQL API with the methods that it accepts", async () => {
    const { status, headers } = await send({ ...get("query={__typename}"), method: "HEAD" });
    expect([status, headers.allow]).toEqual([405, "GET, POST"]);
  });
});

describe("A mutation by GET", () => {
  it("is not executed", async () => {
    await gateway.reset();
    await send(get(`query=${encodeURIComponent(remove)}`));
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
