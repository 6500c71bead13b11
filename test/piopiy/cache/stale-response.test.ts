import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, startBrokenGateway } from "../../support/gateway/broken-gateway.js";
import { outcomeOf } from "../../support/gateway/lost-writes.js";
import { until } from "../../support/until.js";
import { alice, type UpstreamResponse } from "../../support/upstream/broken-upstream.js";

const one = '{ sipEndpoint(username: "alice") { connectUrl } }';
const both =
  '{ sipEndpoint(username: "alice") { connectUrl } new: sipEndpoint(username: "bob") { username } }';
const TTL_MS = 30;

let broken: BrokenGateway;
/** Every test begins with a cached endpoint that has expired. */
beforeEach(async () => {
  broken = await startBrokenGateway({ CACHE_TTL_MS: String(TTL_MS), BREAKER_RESET_MS: "60000" });
  broken.upstream.respond({ body: alice });
  await broken.gateway.execute(one);
  const readBy = Date.now();
  await until(() => Date.now() > readBy + TTL_MS);
});
afterEach(() => broken.close());

const execute = (query: string) => broken.gateway.execute(query);
const outage: UpstreamResponse = { status: 500, body: "<h1>Something is wrong</h1>" };

describe("While PIOPIY is down", () => {
  it("the last response is returned as stale, with its age", async () => {
    broken.upstream.respond(outage);
    const { data, errors, extensions } = await execute(one);
    expect({ data, errors }).toEqual({
      data: { sipEndpoint: { connectUrl: "sbc.example.com" } },
      errors: undefined,
    });
    expect(extensions?.stale?.ageMs).toBeGreaterThan(TTL_MS);
    expect(broken.upstream.requests.length).toBeGreaterThan(0);
  });

  it("the last response is still returned once the circuit breaker is open", async () => {
    broken.upstream.respond(outage);
    await until(async () => {
      const before = broken.upstream.requests.length;
      const { data, extensions } = await execute(one);
      expect({ data, isStale: extensions?.stale !== undefined }).toEqual({
        data: { sipEndpoint: { connectUrl: "sbc.example.com" } },
        isStale: true,
      });
      return broken.upstream.requests.length === before;
    });
  });

  it("a field that was never read fails beside a stale one", async () => {
    broken.upstream.respond(outage);
    const { data, errors, extensions } = await execute(both);
    expect(data).toEqual({ sipEndpoint: { connectUrl: "sbc.example.com" }, new: null });
    expect(errors).toMatchObject([{ path: ["new"], extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
    expect(extensions?.stale).toBeDefined();
  });

  it("a password fails, since none is cached", async () => {
    broken.upstream.respond(outage);
    const { data, errors } = await execute('{ sipEndpoint(username: "alice") { connectUrl password } }');
    expect(data).toEqual({ sipEndpoint: { connectUrl: "sbc.example.com", password: null } });
    expect(errors).toMatchObject([{ path: ["sipEndpoint", "password"] }]);
  });

  it("no data from before a change is returned", async () => {
    broken.upstream.respond({ body: { code: 200, username: "alice" } }, outage);
    await broken.gateway.execute('mutation { removeSipEndpoint(input: { username: "alice" }) { username } }');
    expect(outcomeOf(await execute(one))).toBe("UPSTREAM_UNAVAILABLE");
  });
});

describe("An error of PIOPIY is returned instead of a stale response:", () => {
  it.each([
    ["UPSTREAM_UNAUTHENTICATED", { body: { code: "cmi-420" } }],
    ["UPSTREAM_REJECTED", { body: { code: "cmi-403" } }],
    ["UPSTREAM_INVALID_RESPONSE", { body: "no JSON" }],
  ])("%s", async (code, reply) => {
    broken.upstream.respond(reply);
    expect(outcomeOf(await execute(one))).toBe(code);
  });
});

describe("Once PIOPIY is up again", () => {
  it("responses are current, without the extension `stale`", async () => {
    broken.upstream.respond(outage);
    expect((await execute(one)).extensions?.stale).toBeDefined();
    broken.upstream.respond({ body: { ...alice, connect_URL: "new.example.com" } });
    const { data, extensions } = await execute(one);
    expect({ data, stale: extensions?.stale }).toEqual({
      data: { sipEndpoint: { connectUrl: "new.example.com" } },
      stale: undefined,
    });
  });
});
