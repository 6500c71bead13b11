import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, fail, startBrokenGateway, writes } from "../support/gateway/broken-gateway.js";
import { cut, found, losses, other, refusal, traces, write } from "../support/gateway/lost-writes.js";
import type { Behaviour } from "../support/upstream/broken-upstream.js";

// Each case ends with a good answer, so that one gateway stands them all.
let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "300" });
});
afterAll(() => broken.close());

const html = "<h1>Something is wrong</h1>";
const busy: [number, Behaviour][] = [
  [429, { status: 429, body: html }],
  [503, { status: 503, body: html }],
  [503, { status: 503, body: { code: 503 } }],
  [429, { body: { code: "cmi-429" } }],
  [503, { body: { code: 503 } }],
];

describe.each(writes)("%s", (operation) => {
  const { taken, not } = traces[operation];

  describe.each(losses)("after %s", (_, loss) => {
    it("has happened when a look shows that it has taken", async () => {
      expect(await write(broken, operation, loss, taken)).toEqual({
        outcome: "done",
        calls: [operation, "get_sip"],
      });
    });

    it("is repeated once when a look shows that it has not taken", async () => {
      expect(await write(broken, operation, loss, not, found)).toEqual({
        outcome: "done",
        calls: [operation, "get_sip", operation],
      });
    });

    it("is looked at and repeated again when these answers are lost too", async () => {
      expect(await write(broken, operation, loss, loss, not, loss, not, found)).toEqual({
        outcome: "done",
        calls: [operation, "get_sip", "get_sip", operation, "get_sip", operation],
      });
    });
  });

  it("is looked at again when PIOPIY is busy, and repeated again", async () => {
    const later: Behaviour = { status: 503, headers: { "retry-after": "0" }, body: html };
    expect(await write(broken, operation, cut, later, not, later, not, found)).toEqual({
      outcome: "done",
      calls: [operation, "get_sip", "get_sip", operation, "get_sip", operation],
    });
  });

  it.each(
    busy,
  )("is not begun by an upstream that is busy, nor looked at: %i, %j", async (code, behaviour) => {
    await write(broken, operation, found);
    broken.upstream.answer(behaviour);
    expect(await fail(broken, operation)).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      upstreamCode: code,
      attempts: 1,
    });
  });

  it("tells how long a busy upstream wants to be left alone", async () => {
    await write(broken, operation, found);
    broken.upstream.answer({ status: 503, headers: { "retry-after": "7" }, body: html });
    expect(await fail(broken, operation)).toMatchObject({ retryAfterMs: 7000, attempts: 1 });
  });
});

describe("A lost write", () => {
  it.each([
    ["add_sip", "has happened", "done", [cut, refusal, refusal, found]],
    ["add_sip", "is told that somebody else was faster", "USERNAME_TAKEN", [cut, refusal, refusal, other]],
    [
      "update_sip",
      "is told that the endpoint is gone",
      "SIP_ENDPOINT_NOT_FOUND",
      [cut, other, refusal, refusal],
    ],
    ["remove_sip", "has happened", "done", [cut, found, refusal, refusal]],
  ] as const)("%s %s when PIOPIY refuses its repetition", async (operation, _, outcome, behaviours) => {
    expect(await write(broken, operation, ...behaviours)).toEqual({
      outcome,
      calls: [operation, "get_sip", operation, "get_sip"],
    });
  });

  it.each([
    ["add_sip", "an endpoint with another password", "USERNAME_TAKEN", other],
    ["update_sip", "no endpoint", "SIP_ENDPOINT_NOT_FOUND", refusal],
    ["remove_sip", "no endpoint", "done", refusal],
  ] as const)("%s that finds %s is answered with it: %s", async (operation, _, outcome, look) => {
    for (const [, loss] of losses) {
      expect(await write(broken, operation, loss, look)).toEqual({ outcome, calls: [operation, "get_sip"] });
    }
  });

  it("sends its repetition with the same made password", async () => {
    broken.upstream.answer(cut, refusal, {});
    await broken.gateway.ask('mutation { createSipEndpoint(input: { username: "alice" }) { password } }');
    const [first, , second] = broken.upstream.calls.map(({ body }) => JSON.parse(body).password);
    expect(first).toMatch(/^\w{22}$/);
    expect(second).toBe(first);
  });

  it("lets the mutations after it be sent once it is settled", async () => {
    broken.upstream.answer(cut, refusal, {});
    const { errors } = await broken.gateway.ask(
      'mutation { a: removeSipEndpoint(input: { username: "a" }) { username } b: removeSipEndpoint(input: { username: "b" }) { username } }',
    );
    expect(errors).toBeUndefined();
    const sent = broken.upstream.calls.map(({ operation, body }) => [operation, JSON.parse(body).username]);
    expect(sent).toEqual([
      ["remove_sip", "a"],
      ["get_sip", "a"],
      ["remove_sip", "b"],
    ]);
  });
});

describe("A write", () => {
  it("sends the account, the username and the password", async () => {
    broken.upstream.answer({});
    const { data } = await broken.gateway.ask(
      'mutation { createSipEndpoint(input: { username: "alice", password: "made-up-1" }) { password sipEndpoint { username } } }',
    );
    expect(data).toEqual({
      createSipEndpoint: { password: "made-up-1", sipEndpoint: { username: "alice" } },
    });
    expect(JSON.parse(broken.upstream.calls[0]?.body ?? "")).toEqual({
      appid: 2222223,
      secret: "emulator-secret",
      username: "alice",
      password: "made-up-1",
    });
  });
});
