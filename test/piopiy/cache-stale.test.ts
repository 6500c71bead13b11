import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { outcomeOf } from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { alice, type BrokenReply } from "../support/upstream/broken-upstream.js";

const one = '{ sipEndpoint(username: "alice") { connectUrl } }';
const both =
  '{ sipEndpoint(username: "alice") { connectUrl } new: sipEndpoint(username: "bob") { username } }';
const TTL_MS = 30;

let broken: BrokenGateway;
/** Every test begins with an endpoint that was read and whose time is over. */
beforeEach(async () => {
  broken = await startBrokenGateway({ CACHE_TTL_MS: String(TTL_MS), BREAKER_RESET_MS: "60000" });
  broken.upstream.answer({ body: alice });
  await broken.gateway.ask(one);
  const readBy = Date.now();
  await until(() => Date.now() > readBy + TTL_MS);
});
afterEach(() => broken.close());

const ask = (query: string) => broken.gateway.ask(query);
const outage: BrokenReply = { status: 500, body: "<h1>Something is wrong</h1>" };

describe("While PIOPIY is out of order", () => {
  it("the last answer stands in, and says how old it is", async () => {
    broken.upstream.answer(outage);
    const { data, errors, extensions } = await ask(one);
    expect({ data, errors }).toEqual({
      data: { sipEndpoint: { connectUrl: "sbc.example.com" } },
      errors: undefined,
    });
    expect(extensions?.stale?.ageMs).toBeGreaterThan(TTL_MS);
    expect(broken.upstream.calls.length).toBeGreaterThan(0);
  });

  it("also once PIOPIY is no longer asked", async () => {
    broken.upstream.answer(outage);
    await until(async () => {
      const before = broken.upstream.calls.length;
      const { data, extensions } = await ask(one);
      expect({ data, isStale: extensions?.stale !== undefined }).toEqual({
        data: { sipEndpoint: { connectUrl: "sbc.example.com" } },
        isStale: true,
      });
      return broken.upstream.calls.length === before;
    });
  });

  it("what was never read fails, beside what stands in", async () => {
    broken.upstream.answer(outage);
    const { data, errors, extensions } = await ask(both);
    expect(data).toEqual({ sipEndpoint: { connectUrl: "sbc.example.com" }, new: null });
    expect(errors).toMatchObject([{ path: ["new"], extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
    expect(extensions?.stale).toBeDefined();
  });

  it("a password fails: none is kept", async () => {
    broken.upstream.answer(outage);
    const { data, errors } = await ask('{ sipEndpoint(username: "alice") { connectUrl password } }');
    expect(data).toEqual({ sipEndpoint: { connectUrl: "sbc.example.com", password: null } });
    expect(errors).toMatchObject([{ path: ["sipEndpoint", "password"] }]);
  });

  it("nothing stands in from before a change", async () => {
    broken.upstream.answer({ body: { code: 200, username: "alice" } }, outage);
    await broken.gateway.ask('mutation { removeSipEndpoint(input: { username: "alice" }) { username } }');
    expect(outcomeOf(await ask(one))).toBe("UPSTREAM_UNAVAILABLE");
  });
});

describe("A refusal of PIOPIY is told, whatever was read before:", () => {
  it.each([
    ["UPSTREAM_UNAUTHENTICATED", { body: { code: "cmi-420" } }],
    ["UPSTREAM_REJECTED", { body: { code: "cmi-403" } }],
    ["UPSTREAM_INVALID_RESPONSE", { body: "no JSON" }],
  ])("%s", async (code, reply) => {
    broken.upstream.answer(reply);
    expect(outcomeOf(await ask(one))).toBe(code);
  });
});

describe("Once PIOPIY answers again", () => {
  it("so does the gateway, without a mark", async () => {
    broken.upstream.answer(outage);
    expect((await ask(one)).extensions?.stale).toBeDefined();
    broken.upstream.answer({ body: { ...alice, connect_URL: "new.example.com" } });
    const { data, extensions } = await ask(one);
    expect({ data, extensions }).toEqual({
      data: { sipEndpoint: { connectUrl: "new.example.com" } },
      extensions: undefined,
    });
  });
});
