import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";

const names = "{ sipEndpoints(first: 10) { totalCount nodes { username } } }";
const details = "{ sipEndpoints(first: 10) { nodes { username sipUri } } }";

interface Names {
  readonly sipEndpoints: { readonly nodes: readonly { readonly username: string }[] };
}

const gateways: TestGateway[] = [];
let redis: TestRedis | undefined;
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
  await redis?.kill();
  redis = undefined;
});

async function start(env: Record<string, string> = {}): Promise<TestGateway> {
  const gateway = await startGateway({ gateway: { CACHE_TTL_MS: "3600000", ...env } });
  gateways.push(gateway);
  return gateway;
}

const endpoints = (...usernames: string[]) => ({ endpoints: usernames.map((username) => ({ username })) });

async function namesOf(gateway: TestGateway): Promise<string[]> {
  const { data } = await gateway.execute<Names>(names);
  return data.sipEndpoints.nodes.map(({ username }) => username);
}

describe("The cached data of an endpoint that was removed outside the gateway", () => {
  it("is dropped once get_sip does not find a row of the list, so that the next response is correct", async () => {
    const gateway = await start();
    await gateway.reset(endpoints("alice", "bob"));
    // The third response is a cached one of the whole operation.
    for (const _ of [1, 2, 3]) expect(await namesOf(gateway)).toEqual(["alice", "bob"]);
    await gateway.reset(endpoints("alice"));
    const { data, errors } = await gateway.execute<Names>(details);
    expect(errors?.[0]?.extensions).toMatchObject({ code: "UPSTREAM_INVALID_RESPONSE", retryable: true });
    expect(data.sipEndpoints.nodes.map(({ username }) => username)).toEqual(["alice", "bob"]);
    const again = await gateway.execute<Names>(details);
    expect(again.errors).toBeUndefined();
    expect(again.data.sipEndpoints.nodes).toMatchObject([{ username: "alice" }]);
    expect(await namesOf(gateway)).toEqual(["alice"]);
  });

  it("is dropped when the password is not found", async () => {
    const gateway = await start();
    await gateway.reset(endpoints("alice", "bob"));
    await namesOf(gateway);
    await gateway.reset(endpoints("alice"));
    const query = "{ sipEndpoints(first: 10) { nodes { username password } } }";
    expect((await gateway.execute(query)).errors?.[0]?.path).toEqual([
      "sipEndpoints",
      "nodes",
      1,
      "password",
    ]);
    expect((await gateway.execute(query)).errors).toBeUndefined();
    expect(await namesOf(gateway)).toEqual(["alice"]);
  });

  it.each([
    "rotateSipEndpointPassword",
    "removeSipEndpoint",
  ])("is dropped when %s does not find it", async (mutation) => {
    const gateway = await start();
    await gateway.reset(endpoints("alice", "bob"));
    await namesOf(gateway);
    await gateway.reset(endpoints("alice"));
    await gateway.execute(`mutation { ${mutation}(input: { username: "bob" }) { userErrors { code } } }`);
    expect(await namesOf(gateway)).toEqual(["alice"]);
  });

  (hasRedis ? it : it.skip)("is dropped in other processes too", async () => {
    redis = await startRedis();
    const first = await start({ REDIS_URL: redis.url });
    const second = await start({ REDIS_URL: redis.url, PIOPIY_URL: first.piopiyUrl });
    await first.reset(endpoints("alice", "bob"));
    await until(async () => {
      for (const gateway of [first, second]) await namesOf(gateway);
      const before = (await first.upstreamRequests()).length;
      for (const gateway of [first, second]) await namesOf(gateway);
      return (await first.upstreamRequests()).length === before;
    });
    await first.reset(endpoints("alice"));
    expect(await namesOf(second)).toEqual(["alice", "bob"]);
    expect((await first.execute(details)).errors).toHaveLength(1);
    await until(async () => (await namesOf(second)).length === 1);
  });
});

describe("The cached absence of an endpoint", () => {
  it("is dropped once the list contains the endpoint, so that the next response is correct", async () => {
    const gateway = await start();
    await gateway.reset(endpoints("alice"));
    expect((await gateway.execute('{ sipEndpoint(username: "bob") { type } }')).data).toEqual({
      sipEndpoint: null,
    });
    await gateway.reset(endpoints("alice", "bob"));
    expect((await gateway.execute(details)).errors).toHaveLength(1);
    expect((await gateway.execute(details)).errors).toBeUndefined();
    expect((await gateway.execute('{ sipEndpoint(username: "bob") { type } }')).data).toEqual({
      sipEndpoint: { type: "SIP" },
    });
  });
});
