import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import type { UpstreamResponse } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway();
});
afterAll(() => broken.close());

const all = Object.keys(operations) as (keyof typeof operations)[];

/** Returns a rejection in each of the formats that PIOPIY's documentation allows. */
function formats(code: number): [string, UpstreamResponse][] {
  return [
    [`HTTP 200 with "cmi-${code}"`, { body: { code: `cmi-${code}`, msg: "no" } }],
    [`HTTP 200 with "${code}"`, { body: { code: String(code) } }],
    [`HTTP 200 with ${code}`, { body: { error: true, code, msg: { body: [] } } }],
    [`HTTP ${code} with "cmi-${code}"`, { status: code, body: { code: `cmi-${code}` } }],
    [`HTTP ${code} with ${code}`, { status: code, body: { code } }],
    [`HTTP 400 with ${code}`, { status: 400, body: { code } }],
  ];
}

describe("A rejected account", () => {
  it.each(formats(420))("returns UPSTREAM_UNAUTHENTICATED for every operation: %s", async (_, reply) => {
    for (const operation of all) {
      broken.upstream.respond(reply);
      expect(await fail(broken, operation)).toEqual({
        code: "UPSTREAM_UNAUTHENTICATED",
        retryable: false,
        upstreamCode: 420,
        attempts: 1,
      });
    }
  });
});

describe("PIOPIY's 400", () => {
  it.each(formats(400))("means a taken or an unknown username: %s", async (_, reply) => {
    broken.upstream.respond(reply);
    const read = await broken.gateway.execute(operations.get_sip);
    expect(read).toMatchObject({ status: 200, data: { sipEndpoint: null } });
    const codes: unknown[] = [];
    for (const operation of writes) {
      const { data } = await broken.gateway.execute<Record<string, { userErrors: [{ code: string }] }>>(
        operations[operation],
      );
      codes.push(...Object.values(data).map(({ userErrors }) => userErrors[0].code));
    }
    expect(codes).toEqual(["USERNAME_TAKEN", "SIP_ENDPOINT_NOT_FOUND", "SIP_ENDPOINT_NOT_FOUND"]);
    expect(broken.upstream.requests.map((request) => request.operation)).toEqual(["get_sip", ...writes]);
  });

  it.each(formats(400))("is an error for list_sip, which has no username: %s", async (_, reply) => {
    broken.upstream.respond(reply);
    expect(await fail(broken, "list_sip")).toEqual({
      code: "UPSTREAM_REJECTED",
      retryable: false,
      upstreamCode: 400,
      attempts: 1,
    });
  });
});

describe("Any other rejection", () => {
  it.each([
    ...formats(404),
    ...formats(407),
    ...formats(501),
    ...formats(502),
  ])("returns UPSTREAM_REJECTED with PIOPIY's code after one attempt: %s", async (_, reply) => {
    for (const operation of all) {
      broken.upstream.respond(reply);
      const { upstreamCode, ...failure } = await fail(broken, operation);
      expect(failure).toEqual({ code: "UPSTREAM_REJECTED", retryable: false, attempts: 1 });
      expect(JSON.stringify(reply.body)).toContain(String(upstreamCode));
      expect(typeof upstreamCode).toBe("number");
    }
  });

  it.each([
    ["HTML", "<h1>Cannot POST /</h1>"],
    ["an object without a code", {}],
    ["the code of a success", { code: "cmi-200" }],
  ])("has the HTTP status as its code where the body is %s", async (_, body) => {
    broken.upstream.respond({ status: 404, body });
    expect(await fail(broken, "get_sip")).toMatchObject({ code: "UPSTREAM_REJECTED", upstreamCode: 404 });
  });

  it.each([
    ["JSON with another endpoint", 'row is {"username":"bob","password":"canary-password"}'],
    ["the secret in base64", `not ${Buffer.from("canary-secret").toString("base64")}`],
    ["the secret in another case", `the secret EMULATOR-SECRET is wrong`],
    ["a URL", "see https://canary.example.com/password"],
    ["form data", "secret=canary-secret&appid=1"],
    ["a long number", "use 123456789012"],
  ])("does not quote a message of PIOPIY that contains %s", async (_, msg) => {
    broken.upstream.respond({ body: { code: 404, msg } });
    const { errors } = await broken.gateway.execute(operations.get_sip);
    expect(errors?.[0]?.message).toBe("PIOPIY rejected get_sip with code 404.");
  });

  it("quotes PIOPIY's message in one line of at most 200 characters", async () => {
    broken.upstream.respond({ body: { code: 404, msg: `a\n\tb\u0000c ${"x".repeat(300)}` } });
    const { errors } = await broken.gateway.execute(operations.get_sip);
    expect(errors?.[0]?.message).toBe(`PIOPIY rejected get_sip with code 404 ("a b c ${"x".repeat(194)}").`);
  });
});
