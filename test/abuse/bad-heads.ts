import fc from "fast-check";
import { type Bytes, request } from "../support/http/raw-http.js";

const body = '{"query":"{ __typename }"}';
const oneOf = fc.constantFrom<string[]>;
const latin = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 20 });

const type = fc.oneof(
  oneOf("application/json", "text/plain", "application/graphql", "multipart/form-data", "*/*", "x", ""),
  fc
    .tuple(
      oneOf("application/json", "text/json", "application/graphql+json"),
      oneOf("utf-16", "latin1", "x", '"'),
    )
    .map(([name, charset]) => `${name}; charset=${charset}`),
);
const accept = oneOf(
  "*/*",
  "text/html",
  "application/json;q=0",
  "multipart/mixed",
  ",",
  "application/json;;q=x",
);
const encoding = oneOf("identity", "gzip", "br", "deflate, gzip", "chunked", "\u00ff");

/** Requests with unusual but valid headers. Each one gets a response. */
export const oddHeads: Record<string, fc.Arbitrary<Bytes>> = {
  "requests with unusual types, charsets and encodings": fc
    .tuple(type, accept, encoding, fc.oneof(fc.constant(body), latin))
    .map(([contentType, wanted, contentEncoding, sent]) =>
      request(sent, { "content-type": contentType, accept: wanted, "content-encoding": contentEncoding }),
    ),
  "requests with unusual URLs": fc
    .tuple(
      oneOf("GET", "POST", "DELETE", "OPTIONS", "PUT", "TRACE", "PROPFIND", "M-SEARCH"),
      oneOf(
        "/graphql",
        "/graphql/",
        "//graphql",
        "/health/",
        "/",
        "*",
        "http://localhost/graphql",
        "/../graphql",
        "/%2fgraphql",
      ),
      fc.array(
        fc.oneof(
          oneOf("%", "%0", "%ZZ", "%C0%80", "%ff", "?", "&", "=", "#", "query=", "variables={", "[]", "%00"),
          fc.stringMatching(/^[a-z%0-9?&=/]{0,6}$/),
        ),
        { maxLength: 6 },
      ),
      fc.boolean(),
    )
    .map(([method, path, rest, preflight]) =>
      request(
        method === "POST" || method === "PUT" ? body : "",
        { "content-type": "application/json", ...(preflight && { "apollo-require-preflight": "1" }) },
        `${method} ${path}${rest.join("")}`,
      ),
    ),
};

const lines = fc.array(
  fc.oneof(
    latin,
    oneOf(
      "content-length: -1",
      "content-length: 5, 6",
      "content-length: 99999999999999999999",
      "transfer-encoding: chunked",
      "transfer-encoding: gzip, chunked",
      "expect: 100-continue",
      "expect: something",
      "upgrade: websocket\r\nconnection: upgrade",
      "host: [",
      "host:",
      " folded: line",
      "no colon",
      ": no name",
      "authorization: Bearer \u0000",
      "x-request-id: \u007f",
      `x: ${"y".repeat(20_000)}`,
    ),
  ),
  { minLength: 1, maxLength: 4 },
);
const firstLine = oneOf(
  "POST /graphql HTTP/1.1",
  "POST /graphql HTTP/1.0",
  "POST /graphql HTTP/9.9",
  "POST /graphql",
  "post /graphql HTTP/1.1",
  "FOO /graphql HTTP/1.1",
  "CONNECT a:1 HTTP/1.1",
  "HEAD /graphql HTTP/1.1",
  "PRI * HTTP/2.0",
  "GET /gra phql HTTP/1.1",
  "GET /\u00ff HTTP/1.1",
  "\u0016\u0003\u0001",
);

/** Requests with broken headers. Some get no response. */
export const brokenHeads: Record<string, fc.Arbitrary<Bytes>> = {
  "requests with broken headers": fc
    .tuple(firstLine, lines, oneOf("\r\n\r\n", "\n\n", "\r\r", ""))
    .map(([first, others, end]) => `${[first, "host: localhost", ...others].join("\r\n")}${end}${body}`),
  "requests with broken chunks": fc
    .tuple(
      fc.array(
        fc.oneof(latin, oneOf("0\r\n\r\n", "5\r\nabcde\r\n", "-1\r\n", "ffffffffffffffff\r\n", "5;x=y\r\n")),
      ),
    )
    .map(
      ([chunks]) =>
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunks.join("")}`,
    ),
  "requests with a body that is shorter than content-length": fc
    .tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(body.length))
    .map(
      ([more, sent]) =>
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length + more}\r\n\r\n${body.slice(0, sent)}`,
    ),
};
