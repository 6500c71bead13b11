import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, fail, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { alice, type UpstreamResponse } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway();
});
afterEach(() => broken.close());

const json = JSON.stringify(alice);
const zipped = gzipSync(json);
const gzip = { "content-encoding": "gzip" };
const row = { username: "alice", password: "made-up-1" };

/** Bodies that are invalid as a response to any operation. */
const nonsense: [string, UpstreamResponse][] = [
  ["HTML with HTTP 200", { headers: { "content-type": "text/html" }, body: "<h1>Back soon</h1>" }],
  ["an empty body", { body: "" }],
  ["HTTP 204", { status: 204, body: "" }],
  ["a JSON array", { body: [alice] }],
  ["a JSON null", { body: null }],
  ["a JSON text", { body: '"cmi-200"' }],
  ["JSON that ends too early", { body: json.slice(0, -5) }],
  ["JSON with text after it", { body: `${json}}` }],
  ["bytes that are not UTF-8", { body: Buffer.from(json.replace("made-up-1", "made-\xff-1"), "latin1") }],
  ["truncated gzip", { headers: gzip, body: zipped.subarray(0, -10) }],
  ["gzip that is not gzip", { headers: gzip, body: json }],
  ["an object without a code", { body: { username: "alice" } }],
  ["a code that is a word", { body: { ...alice, code: "ok" } }],
  ["a code in a list", { body: { ...alice, code: [200] } }],
  ["a code that is an object", { body: { ...alice, code: { toString: 200 } } }],
  ["a code that is not an integer", { body: { ...alice, code: 200.5 } }],
  ["10 MB", { body: `${" ".repeat(10_000_000)}${json}` }],
  ["10 MB, compressed to 10 kB", { headers: gzip, body: gzipSync(" ".repeat(10_000_000) + json) }],
  ["a little more than 1 MB", { body: json.padEnd(1_000_001) }],
];

const without = (name: keyof typeof alice) => ({ ...alice, [name]: undefined });
const list = (content: unknown) => ({ code: "cmi-200", list: content });

describe("An invalid response of PIOPIY", () => {
  it.each(
    nonsense,
  )("returns UPSTREAM_INVALID_RESPONSE for a read after three attempts: %s", async (_, reply) => {
    broken.upstream.respond(reply);
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_INVALID_RESPONSE",
      retryable: true,
      attempts: 3,
    });
  });

  it.each([
    ["get_sip", "only a code", { code: "cmi-200" }],
    ["get_sip", "no username", without("username")],
    ["get_sip", "an empty username", { ...alice, username: "" }],
    ["get_sip", "a number as username", { ...alice, username: 1 }],
    ["list_sip", "only a code", { code: "cmi-200" }],
    ["list_sip", "an array as list", list([row])],
    ["list_sip", "a list without rows", list({ count: 1 })],
    ["list_sip", "a list without a count", list({ rows: [row] })],
    ["list_sip", "a text as count", list({ count: "1", rows: [row] })],
    ["list_sip", "a negative count", list({ count: -1, rows: [row] })],
    ["list_sip", "a fraction as count", list({ count: 0.5, rows: [row] })],
    ["list_sip", "a count beyond 32 bits", list({ count: 2 ** 31, rows: [] })],
    ["list_sip", "fewer rows than the count", list({ count: 2, rows: [row] })],
    ["list_sip", "more rows than the count", list({ count: 0, rows: [row] })],
    ["list_sip", "an object as rows", list({ count: 1, rows: row })],
  ] as const)("returns UPSTREAM_INVALID_RESPONSE for %s after one attempt: %s", async (operation, _, body) => {
    broken.upstream.respond({ body });
    expect(await fail(broken, operation)).toEqual({
      code: "UPSTREAM_INVALID_RESPONSE",
      retryable: true,
      attempts: 1,
    });
  });

  it("returns a message with the missing or invalid fields, and without values", async () => {
    broken.upstream.respond({ body: list({ count: "made-up-1", rows: "made-up-2" }) });
    const { errors } = await broken.gateway.execute("{ sipEndpoints { totalCount } }");
    expect(errors?.[0]?.message).toBe(
      "PIOPIY responded to list_sip with missing or invalid fields: list.count, list.rows.",
    );
  });
});
