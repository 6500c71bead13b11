import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, fail, startBrokenGateway, writes } from "../support/gateway/broken-gateway.js";
import {
  cut,
  found,
  losses,
  other,
  refusal,
  silent,
  stalled,
  traces,
  write,
} from "../support/gateway/lost-writes.js";
import type { Responder } from "../support/upstream/broken-upstream.js";

// Each case ends with a valid response, so that all can share two gateways. A short timeout is used only for a missing response: on a
// busy machine it could also end a valid one.
let broken: BrokenGateway;
let shortTimeout: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "60000" });
  shortTimeout = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "1000", PIOPIY_DEADLINE_MS: "60000" });
});
afterAll(async () => {
  await broken.close();
  await shortTimeout.close();
});

const gatewayFor = (loss: Responder) => (loss === silent || loss === stalled ? shortTimeout : broken);

const html = "<h1>Something is wrong</h1>";
const busy: [number, Responder][] = [
  [429, { status: 429, body: html }],
  [503, { status: 503, body: html }],
  [503, { status: 503, body: { code: 503 } }],
  [429, { body: { code: "cmi-429" } }],
  [503, { body: { code: 503 } }],
];

describe.each(writes)("%s", (operation) => {
  const { taken, not } = traces[operation];

  describe.each(losses)("after %s", (_, loss) => {
    it("has succeeded when get_sip shows that it took effect", async () => {
      expect(await write(gatewayFor(loss), operation, loss, taken)).toEqual({
        outcome: "done",
        requests: [operation, "get_sip"],
      });
    });

    it("is repeated once when get_sip shows that it did not take effect", async () => {
      expect(await write(gatewayFor(loss), operation, loss, not, found)).toEqual({
        outcome: "done",
        requests: [operation, "get_sip", operation],
      });
    });

    it("is read and repeated again when these responses are lost too", async () => {
      expect(await write(gatewayFor(loss), operation, loss, loss, not, loss, not, found)).toEqual({
        outcome: "done",
        requests: [operation, "get_sip", "get_sip", operation, "get_sip", operation],
      });
    });
  });

  it("is read and repeated again when PIOPIY is busy", async () => {
    const later: Responder = { status: 503, headers: { "retry-after": "0" }, body: html };
    expect(await write(broken, operation, cut, later, not, later, not, found)).toEqual({
      outcome: "done",
      requests: [operation, "get_sip", "get_sip", operation, "get_sip", operation],
    });
  });

  it.each(
    busy,
  )("is rejected without reconciliation by an upstream that is busy: %i, %j", async (code, responder) => {
    await write(broken, operation, found);
    broken.upstream.respond(responder);
    expect(await fail(broken, operation)).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      upstreamCode: code,
      attempts: 1,
    });
  });

  it("returns the Retry-After of a busy upstream", async () => {
    await write(broken, operation, found);
    broken.upstream.respond({ status: 503, headers: { "retry-after": "7" }, body: html });
    expect(await fail(broken, operation)).toMatchObject({ retryAfterMs: 7000, attempts: 1 });
  });
});

describe("A write whose response was lost", () => {
  it.each([
    ["add_sip", "succeeds if get_sip then shows its endpoint", "done", [cut, refusal, refusal, found]],
    [
      "add_sip",
      "returns USERNAME_TAKEN if get_sip then shows another one",
      "USERNAME_TAKEN",
      [cut, refusal, refusal, other],
    ],
    [
      "update_sip",
      "returns SIP_ENDPOINT_NOT_FOUND if get_sip finds none",
      "SIP_ENDPOINT_NOT_FOUND",
      [cut, other, refusal, refusal],
    ],
    ["remove_sip", "succeeds if get_sip finds none", "done", [cut, found, refusal, refusal]],
  ] as const)("%s %s, when PIOPIY rejects its repetition", async (operation, _, outcome, responders) => {
    expect(await write(broken, operation, ...responders)).toEqual({
      outcome,
      requests: [operation, "get_sip", operation, "get_sip"],
    });
  });

  it.each([
    ["add_sip", "an endpoint with another password", "USERNAME_TAKEN", other],
    ["update_sip", "no endpoint", "SIP_ENDPOINT_NOT_FOUND", refusal],
    ["remove_sip", "no endpoint", "done", refusal],
  ] as const)("%s that finds %s returns its outcome: %s", async (operation, _, outcome, look) => {
    for (const [, loss] of losses) {
      expect(await write(gatewayFor(loss), operation, loss, look)).toEqual({
        outcome,
        requests: [operation, "get_sip"],
      });
    }
  });

  it("is repeated with the same generated password", async () => {
    broken.upstream.respond(cut, refusal, {});
    await broken.gateway.execute('mutation { createSipEndpoint(input: { username: "alice" }) { password } }');
    const [first, , second] = broken.upstream.requests.map(({ body }) => JSON.parse(body).password);
    expect(first).toMatch(/^\w{22}$/);
    expect(second).toBe(first);
  });

  it("lets later mutations be sent once it is reconciled", async () => {
    broken.upstream.respond(cut, refusal, {});
    const { errors } = await broken.gateway.execute(
      'mutation { a: removeSipEndpoint(input: { username: "a" }) { username } b: removeSipEndpoint(input: { username: "b" }) { username } }',
    );
    expect(errors).toBeUndefined();
    const sent = broken.upstream.requests.map(({ operation, body }) => [
      operation,
      JSON.parse(body).username,
    ]);
    expect(sent).toEqual([
      ["remove_sip", "a"],
      ["get_sip", "a"],
      ["remove_sip", "b"],
    ]);
  });
});

describe("A write", () => {
  it("sends the account, the username and the password", async () => {
    broken.upstream.respond({});
    const { data } = await broken.gateway.execute(
      'mutation { createSipEndpoint(input: { username: "alice", password: "made-up-1" }) { password sipEndpoint { username } } }',
    );
    expect(data).toEqual({
      createSipEndpoint: { password: "made-up-1", sipEndpoint: { username: "alice" } },
    });
    expect(JSON.parse(broken.upstream.requests[0]?.body ?? "")).toEqual({
      appid: 2222223,
      secret: "emulator-secret",
      username: "alice",
      password: "made-up-1",
    });
  });
});
