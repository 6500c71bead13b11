import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write(
    "Skipped: the tests of shared rate limits need Redis (apt-get install redis-server).\n",
  );

const KEY = "canary-secret-of-alpha";
const sha256 = createHash("sha256").update(KEY).digest("hex");
const alpha = { authorization: `Bearer ${KEY}` };
const one = "{ __typename }";

let redis: TestRedis;
let gateways: TestGateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
  await redis?.kill();
});

/** Starts two replicas of the gateway with the same client. */
async function startTwo(settings: Record<string, string>): Promise<void> {
  const gateway = {
    AUTH: "api-key",
    API_KEYS: `alpha:${sha256}:sip:read+sip:write`,
    RATE_LIMIT_PER_MINUTE: "10",
    ...settings,
  };
  gateways = [await startGateway({ gateway }), await startGateway({ gateway })];
}

/** Returns the units that are left after a request to the first replica, then to the second. */
async function left(): Promise<number[]> {
  const numbers: number[] = [];
  for (const gateway of gateways) {
    const { status, headers, extensions } = await gateway.execute(one, {}, alpha);
    expect(status).toBe(200);
    const remaining = Number(headers.get("ratelimit-remaining"));
    expect(extensions).toEqual({ cost: { requested: 1, remaining } });
    numbers.push(remaining);
  }
  return numbers;
}

/** Returns all entries of rate limits in Redis, with their time to live in seconds. */
async function content(): Promise<{ key: string; value: string | null; ttl: number }[]> {
  const client = createClient({ url: redis.url });
  await client.connect();
  const entries = (await client.keys("{piopiy-graphql-gateway}:rate*")).map(async (key) => ({
    key,
    value: await client.get(key),
    ttl: await client.ttl(key),
  }));
  const all = await Promise.all(entries);
  client.destroy();
  return all;
}

describeWithRedis("Replicas of the gateway", () => {
  it("share the rate limit of a client in Redis", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url });
    expect(await left()).toEqual([9, 8]);
    expect(await left()).toEqual([7, 6]);
  });

  it("have separate rate limits without Redis", async () => {
    await startTwo({});
    expect(await left()).toEqual([9, 9]);
    expect(await left()).toEqual([8, 8]);
  });

  it("all reject requests when the shared rate limit is used up, and a rejection costs nothing", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: "4" });
    expect(await left()).toEqual([3, 2]);
    const [first, second] = gateways as [TestGateway, TestGateway];
    const costly = "{ sipEndpoints { nodes { username } } }";
    expect(await first.execute(costly, {}, alpha)).toMatchObject({
      status: 422,
      errors: [{ extensions: { code: "RATE_LIMITED" } }],
    });
    expect((await second.execute(one, {}, alpha)).headers.get("ratelimit-remaining")).toBe("0");
    for (const gateway of gateways) expect((await gateway.execute(one, {}, alpha)).status).toBe(429);
    expect((await content()).map(({ value }) => value)).toEqual(["4"]);
    expect(await first.upstreamRequests()).toEqual([]);
  });

  it("accept cheap requests while they reject expensive ones", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: "1000" });
    const [first] = gateways as [TestGateway];
    const lists = Array.from({ length: 2 }, (_, n) => `a${n}: sipEndpoints(first: 100) { nodes { type } }`);
    const requested = Array.from({ length: 50 }, () => [
      first.execute(`{ ${lists.join(" ")} }`, {}, alpha),
      first.execute(one, {}, alpha),
    ]);
    const statuses = (await Promise.all(requested.flat())).map(({ status }) => status);
    expect(statuses).toEqual(Array(50).fill([422, 200]).flat());
    expect(await left()).toEqual([899, 898]);
  });

  it("store only the spent units of a client in Redis, for at most a minute", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url });
    const [first] = gateways as [TestGateway];
    const input = `{ username: "erin", password: ${JSON.stringify(canaries.password)} }`;
    await first.execute(`mutation { createSipEndpoint(input: ${input}) { password } }`, {}, alpha);
    await first.execute(one, {}, { authorization: "Bearer canary-secret-of-nobody" });
    const entries = await content();
    expect(entries).toEqual([{ key: expect.stringMatching(/:alpha$/), value: "7", ttl: expect.any(Number) }]);
    for (const { key, value, ttl } of entries) {
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(60);
      expect(holdsCanary(key + value, "secret") || holdsCanary(key + value, "password")).toBe(false);
      expect(key).not.toContain(sha256);
    }
  });
});
