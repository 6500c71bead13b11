import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { type ResponseError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const PLAIN = "application/json; charset=utf-8";
const GRAPHQL = "application/graphql-response+json; charset=utf-8";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: { ...apiKeys({ writer: "sip:read+sip:write" }), CACHE_TTL_MS: "10000" },
  });
});
afterAll(() => gateway.close());

const json = { "content-type": "application/json" };
const body = (query: string) => JSON.stringify({ query });

interface Sent extends Omit<RequestInit, "headers"> {
  readonly headers?: Record<string, string>;
}

async function send(init: Sent): Promise<{
  status: number;
  type: string | null;
  headers: Headers;
  errors: ResponseError[] | undefined;
}> {
  const response = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    ...init,
    headers: { ...json, ...bearer("writer"), ...init.headers },
  });
  const { errors } = (await response.json()) as { errors?: ResponseError[] };
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    headers: response.headers,
    errors,
  };
}

const accepts: [string, string][] = [
  ["", PLAIN],
  [" , ", PLAIN],
  ["*/*", PLAIN],
  ["application/*", PLAIN],
  ["application/json", PLAIN],
  ["APPLICATION/JSON", PLAIN],
  ["application/json; charset=utf-8", PLAIN],
  ['application/json;charset="UTF-8"', PLAIN],
  ["application/graphql-response+json", GRAPHQL],
  ["Application/GraphQL-Response+JSON ; charset=utf-8", GRAPHQL],
  ["application/json, application/graphql-response+json", GRAPHQL],
  ["application/graphql-response+json, application/json", GRAPHQL],
  ["application/json;q=0.5, application/graphql-response+json;q=0.5, */*;q=0.1", GRAPHQL],
  ["application/*;q=0.5, */*", PLAIN],
  ["application/graphql-response+json, application/json;q=0.9", GRAPHQL],
  ["application/json;q=0.9, application/graphql-response+json", GRAPHQL],
  ["application/json;q=0.8, application/graphql-response+json;q=0.9", GRAPHQL],
  ["application/graphql-response+json;q=0.8, application/json;q=0.9", PLAIN],
  ["application/graphql-response+json;q=0, */*", PLAIN],
  ["application/graphql-response+json;q=0.000, application/json", PLAIN],
  ["application/json;q=0, */*", GRAPHQL],
  ["application/json;q=0, application/*;q=0.1", GRAPHQL],
  ["*/*, application/graphql-response+json", GRAPHQL],
  ["*/*;q=0.5, application/graphql-response+json;q=0.1", PLAIN],
  ["application/*;q=0.5, */*;q=0.9, application/graphql-response+json;q=0.6", GRAPHQL],
  ["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", PLAIN],
  ["text/html, application/graphql-response+json", GRAPHQL],
  ["text/event-stream, multipart/mixed, application/json", PLAIN],
  ["application/json;charset=latin1, application/graphql-response+json;q=0.1", GRAPHQL],
  ["application/graphql-response+jsonx, application/json", PLAIN],
];

const refused = [
  "text/html",
  "text/*",
  "application/xml",
  "application/json;q=0",
  "*/*;q=0",
  "application/json;q=0, application/graphql-response+json;q=0, */*",
  "application/json;charset=utf-16",
  "json",
  "*",
];

describe("The header Accept", () => {
  it.each(accepts)("selects the media type and the status for %j: %s", async (accept, type) => {
    const headers = { accept };
    const good = await send({ headers, body: body("{ __typename }") });
    expect([good.status, good.type]).toEqual([200, type]);
    const partial = await send({ headers, body: body('{ sipEndpoint(username: "alice") { password } }') });
    expect([partial.status, partial.type]).toEqual([type === GRAPHQL ? 294 : 200, type]);
    const invalid = await send({ headers, body: body("{ nothing }") });
    expect([invalid.status, invalid.type]).toEqual([422, type]);
  });

  it("selects application/json when it is missing", async () => {
    const { status, headers } = await fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { ...json, ...bearer("writer") },
      body: body("{ __typename }"),
    });
    expect([status, headers.get("content-type")]).toEqual([200, PLAIN]);
  });

  it.each<[string, number, Sent]>([
    ["a body that is not JSON", 400, { body: "{" }],
    ["an empty body", 400, { body: "" }],
    ["no query", 422, { body: "{}" }],
    ["a batch", 422, { body: "[{}]" }],
    ["an invalid credential", 401, { headers: bearer("wrong"), body: body("{ a }") }],
    ["a body that is too large", 413, { body: body(" ".repeat(200_000)) }],
    ["another content type", 415, { headers: { "content-type": "x/y" }, body: "{}" }],
    ["a compressed body", 415, { headers: { "content-encoding": "gzip" }, body: gzipSync("{}") }],
    ["another method", 405, { method: "DELETE", body: "{}" }],
  ])("selects the media type of errors before GraphQL: %s", async (_, status, init) => {
    for (const [accept, type] of [
      ["application/graphql-response+json", GRAPHQL],
      ["application/json, application/graphql-response+json;q=0.5", PLAIN],
      ["application/json;q=0.5, application/graphql-response+json", GRAPHQL],
      ["text/html", PLAIN],
    ] as const) {
      const response = await send({ ...init, headers: { ...init.headers, accept } });
      // The credential is checked before `Accept`, and `Accept` before the body.
      const early = accept === "text/html" && ![401, 405].includes(status);
      expect([response.status, response.type]).toEqual([early ? 406 : status, type]);
      expect(response.errors).toHaveLength(1);
    }
  });

  it.each(refused)("gets 406 for %j, and nothing is executed", async (accept) => {
    await gateway.reset();
    const { status, type, errors } = await send({
      headers: { accept },
      body: body('mutation { removeSipEndpoint(input: { username: "alice" }) { username } }'),
    });
    expect([status, type]).toEqual([406, PLAIN]);
    expect(errors).toMatchObject([
      { message: expect.stringContaining("graphql-response+json"), extensions: { code: "BAD_REQUEST" } },
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("selects the media type of cached responses, too", async () => {
    const query = body('{ sipEndpoint(username: "alice") { username } }');
    for (const round of [1, 2, 3]) {
      for (const [accept, type] of [accepts[4], accepts[8], accepts[11]] as [string, string][]) {
        const { status, type: given } = await send({ headers: { accept }, body: query });
        expect([round, status, given]).toEqual([round, 200, type]);
      }
    }
  });

  it("may have 16 kB", async () => {
    const accept = `${"a/b;q=0.1,".repeat(1400)}application/json`;
    expect(await send({ headers: { accept }, body: body("{ __typename }") })).toMatchObject({ status: 200 });
  });
});

describe("The encoding of a body", () => {
  const good = body("{ __typename }");

  it.each<[string, NonNullable<RequestInit["body"]>]>([
    ["gzip", gzipSync(good)],
    ["x-gzip", gzipSync(good)],
    ["deflate", deflateSync(good)],
    ["br", brotliCompressSync(good)],
    ["GZIP", gzipSync(good)],
    ["identity, gzip", gzipSync(good)],
    ["zstd", good],
    ["made-up", good],
    ["gzip", good],
  ])("gets 415 and an error for the content-encoding %s", async (encoding, bytes) => {
    const { status, errors, headers } = await send({
      headers: { "content-encoding": encoding },
      body: bytes,
    });
    expect([status, headers.get("accept-encoding")]).toEqual([415, "identity"]);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/must not be compressed/), extensions: { code: "BAD_REQUEST" } },
    ]);
  });

  it.each([
    "latin1",
    "iso-8859-1",
    "utf-16",
    "UTF-16LE",
    '"windows-1252"',
    "utf-7",
    "",
  ])("gets 415 and an error for the charset %s", async (charset) => {
    const headers = { "content-type": `application/json; charset=${charset}` };
    const { status, errors } = await send({ headers, body: good });
    expect(status).toBe(415);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/must be in UTF-8/), extensions: { code: "BAD_REQUEST" } },
    ]);
  });

  it.each<Record<string, string>>([
    { "content-encoding": "identity" },
    { "content-encoding": "Identity" },
    { "content-encoding": "" },
    { "content-type": "application/json; charset=utf-8" },
    { "content-type": 'application/json;charset="UTF-8"' },
    { "content-type": "application/json; charset=utf8" },
    { "content-type": "application/json; x=1; charset=UTF-8" },
  ])("is accepted with the headers %j", async (headers) => {
    expect(await send({ headers, body: good })).toMatchObject({ status: 200, errors: undefined });
  });

  it("is ignored for a GET request, which has no body", async () => {
    const headers = { ...bearer("writer"), "graphql-require-preflight": "1", "content-encoding": "gzip" };
    const { status } = await fetch(`${gateway.origin}/graphql?query={__typename}`, { headers });
    expect(status).toBe(200);
  });
});
