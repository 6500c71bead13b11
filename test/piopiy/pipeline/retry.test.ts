import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
} from "../../support/gateway/broken-gateway.js";
import { type Responder, send, type UpstreamResponse } from "../../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_DEADLINE_MS: "60000" });
});
afterEach(() => broken.close());

const html = "<h1>Something is wrong</h1>";

/** Failures that a retry may overcome. */
const outages: [number, UpstreamResponse][] = [
  [500, { status: 500, body: html }],
  [502, { status: 502, body: html }],
  [502, { status: 502, body: "" }],
  [503, { status: 503, body: html }],
  [504, { status: 504, body: html }],
  [599, { status: 599, body: {} }],
  [429, { status: 429, body: html }],
  [500, { status: 500, body: { code: "cmi-200" } }],
  [500, { body: { code: "cmi-500" } }],
  [503, { body: { code: 503 } }],
  [429, { body: { code: "429" } }],
];

describe("An outage", () => {
  it.each(
    outages,
  )("of a read returns UPSTREAM_UNAVAILABLE after three attempts: %i, %j", async (code, reply) => {
    for (const operation of ["get_sip", "list_sip"] as const) {
      broken.upstream.respond(reply);
      expect(await fail(broken, operation)).toEqual({
        code: "UPSTREAM_UNAVAILABLE",
        retryable: true,
        upstreamCode: code,
        attempts: 3,
      });
    }
  });

  it.each<[string, Responder]>([
    ["HTTP 502", { status: 502, body: html }],
    ["a closed connection", (response) => response.destroy()],
    [
      "half a response",
      (response) => response.writeHead(200, { "content-length": 9 }).write("{", () => response.destroy()),
    ],
    ["HTML", { body: html }],
  ])("that ends before the next attempt causes no error: %s", async (_, failure) => {
    broken.upstream.respond(failure, {});
    const { data, errors } = await broken.gateway.execute(operations.get_sip);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ sipEndpoint: { username: "alice", type: "SIP" } });
    expect(broken.upstream.requests).toHaveLength(2);
  });

  it("of several kinds returns the error of the last attempt", async () => {
    broken.upstream.respond({ status: 503 }, { body: html }, { body: { code: "cmi-404" } });
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_REJECTED",
      retryable: false,
      upstreamCode: 404,
      attempts: 3,
    });
  });

  it("of one endpoint does not affect the other endpoints of the operation", async () => {
    broken.upstream.respond((response, { body }) => {
      send(response, body.includes('"bob"') ? { status: 503, body: html } : {});
    });
    const { data, errors } = await broken.gateway.execute(
      '{ a: sipEndpoint(username: "alice") { type } b: sipEndpoint(username: "bob") { type } }',
    );
    expect(data).toEqual({ a: { type: "SIP" }, b: null });
    expect(errors?.map(({ path }) => path)).toEqual([["b"]]);
    expect(broken.upstream.requests).toHaveLength(4);
  });
});

describe("Retry-After", () => {
  const soon = () => new Date(Date.now() + 1000).toUTCString();

  it.each([429, 503])("in seconds delays the retry after HTTP %i", async (status) => {
    broken.upstream.respond({ status, headers: { "retry-after": "1" } }, {});
    const begun = performance.now();
    const { errors } = await broken.gateway.execute(operations.get_sip);
    expect(errors).toBeUndefined();
    expect(broken.upstream.requests).toHaveLength(2);
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  it.each([
    ["a future date", soon],
    ["a past date", () => new Date(0).toUTCString()],
    ["zero", () => "0"],
    ["an invalid value", () => "soon"],
  ])("as %s leads to a second attempt", async (_, value) => {
    broken.upstream.respond({ status: 503, headers: { "retry-after": value() } }, {});
    const { errors } = await broken.gateway.execute(operations.get_sip);
    expect(errors).toBeUndefined();
    expect(broken.upstream.requests).toHaveLength(2);
  });

  it.each([
    ["3600", 3_600_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
  ])("beyond the deadline is returned to the client without a retry: %s", async (value, ms) => {
    broken.upstream.respond({ status: 429, headers: { "retry-after": value } });
    const { retryAfterMs, ...failure } = await fail(broken, "get_sip");
    expect(failure).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      upstreamCode: 429,
      attempts: 1,
    });
    expect(Math.abs(Number(retryAfterMs) - ms)).toBeLessThan(60_000);
  });
});
