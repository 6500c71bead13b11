import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import { cut, mutations, traces, write } from "../support/gateway/lost-writes.js";
import {
  alice,
  type Responder,
  startBrokenUpstream,
  type UpstreamResponse,
} from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway();
});
afterEach(() => broken.close());

const all = Object.keys(operations) as (keyof typeof operations)[];
const html = "<h1>Something is wrong</h1>";
const page = (status: number): UpstreamResponse => ({
  status,
  headers: { "content-type": "text/html" },
  body: html,
});
const redirect = (status: number, body: UpstreamResponse["body"] = ""): UpstreamResponse => ({
  status,
  headers: { location: "https://piopiy.example.com/v1/endpoint/get_sip" },
  body,
});
const rejected = (upstreamCode: number) => ({
  code: "UPSTREAM_REJECTED",
  retryable: false,
  upstreamCode,
  attempts: 1,
});

describe("A redirect", () => {
  it.each([
    300, 301, 302, 303, 304, 305, 307, 308, 399,
  ])("returns UPSTREAM_REJECTED after one upstream request, for reads and writes: HTTP %i", async (status) => {
    for (const operation of all) {
      broken.upstream.respond(redirect(status));
      expect(await fail(broken, operation)).toEqual(rejected(status));
    }
  });

  it.each<[string, UpstreamResponse["body"]]>([
    ["a success", alice],
    ["the code 400", { code: "cmi-400" }],
    ["the code 420", { code: 420 }],
    ["the code 500", { code: 500 }],
    ["the code 503", { code: "cmi-503" }],
    ["an HTML page", html],
    ["more than 1 MB", " ".repeat(1_000_001)],
  ])("returns the same error for any body: %s", async (_, body) => {
    for (const operation of all) {
      broken.upstream.respond(redirect(302, body));
      expect(await fail(broken, operation)).toEqual(rejected(302));
    }
  });

  it("does not send the secret to another address", async () => {
    const elsewhere = await startBrokenUpstream();
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        broken.upstream.respond({ status, headers: { location: `${elsewhere.url}get_sip` }, body: "" });
        expect(await fail(broken, "get_sip")).toEqual(rejected(status));
      }
      expect(elsewhere.connections.made).toBe(0);
    } finally {
      await elsewhere.close();
    }
  });

  it("does not open the circuit breaker", async () => {
    broken.upstream.respond(redirect(301));
    for (let count = 1; count <= 12; count++) {
      expect(await fail(broken, "remove_sip")).toEqual({ ...rejected(301), attempts: count });
    }
  });

  it("returns a message with the variable to check, and without the address", async () => {
    broken.upstream.respond(redirect(308));
    const { errors } = await broken.gateway.execute(operations.remove_sip);
    expect(errors?.[0]?.message).toBe(
      "PIOPIY responded to remove_sip with the redirect HTTP 308, which the gateway does not follow: the operator must check PIOPIY_URL.",
    );
  });
});

describe("A response of a proxy in front of PIOPIY", () => {
  it.each([
    400, 401, 403, 404, 405, 407, 410, 421, 426, 451,
  ])("returns UPSTREAM_REJECTED after one upstream request: an HTML page with HTTP %i", async (status) => {
    for (const operation of all) {
      broken.upstream.respond(page(status));
      expect(await fail(broken, operation)).toEqual(rejected(status));
    }
  });

  it.each([408, 511])("is retried for reads and not for writes: HTTP %i", async (status) => {
    broken.upstream.respond(page(status), {});
    expect((await broken.gateway.execute(operations.get_sip)).errors).toBeUndefined();
    for (const operation of ["get_sip", "list_sip"] as const) {
      broken.upstream.respond(page(status));
      expect(await fail(broken, operation)).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", attempts: 3 });
    }
    for (const operation of writes) {
      broken.upstream.respond(page(status));
      expect(await fail(broken, operation)).toEqual({
        code: "UPSTREAM_UNAVAILABLE",
        retryable: true,
        upstreamCode: status,
        attempts: 1,
      });
    }
  });

  it.each([204, 205, 206])("leads to the reconciliation of a write: HTTP %i", async (status) => {
    for (const operation of writes) {
      const { taken } = traces[operation];
      expect(await write(broken, operation, { status, body: "" }, taken)).toEqual({
        outcome: "done",
        requests: [operation, "get_sip"],
      });
    }
  });

  it("may be preceded by 1xx responses", async () => {
    const hinting: Responder = (response) =>
      response.writeEarlyHints({ link: "</style.css>; rel=preload" }, () =>
        response.end(JSON.stringify(alice)),
      );
    broken.upstream.respond(hinting);
    expect((await broken.gateway.execute(mutations.update_sip)).errors).toBeUndefined();
    expect(broken.upstream.requests).toHaveLength(1);
  });
});

describe("A write whose response was lost", () => {
  it.each<[string, UpstreamResponse]>([
    ["a redirect", redirect(302, { code: "cmi-400" })],
    ["an HTML page with HTTP 400", page(400)],
    ["an HTML page with HTTP 404", page(404)],
  ])("returns OUTCOME_UNKNOWN after one get_sip when PIOPIY responds to it with %s", async (_, reply) => {
    for (const operation of writes) {
      expect(await write(broken, operation, cut, reply)).toEqual({
        outcome: "OUTCOME_UNKNOWN",
        requests: [operation, "get_sip"],
      });
    }
  });
});
