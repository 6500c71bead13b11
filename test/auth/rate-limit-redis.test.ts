import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: tests of shared limits need Redis (apt-get install redis-server).\n");

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

/** Two copies of the gateway for the same caller. */
async function startTwo(settings: Record<string, string>): Promise<void> {
  const gateway = {
    AUTH: "api-key",
    API_KEYS: `alpha:${sha256}:sip:read+sip:write`,
    RATE_LIMIT_PER_MINUTE: "10",
    ...settings,
  };
  gateways = [await startGateway({ gateway }), await startGateway({ gateway })];
}

/** What is left after a request to the first copy, then to the second. */
async function left(): Promise<number[]> {
  const numbers: number[] = [];
  for (const gateway of gateways) {
    const { status, headers } = await gateway.ask(one, {}, alpha);
    expect(status).toBe(200);
    numbers.push(Number(headers.get("ratelimit-remaining")));
  }
  return numbers;
}

/** All that Redis holds of limits, by key, and after how many seconds it goes. */
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

describeWithRedis("Copies of the gateway", () => {
  it("share a caller's budget in one Redis", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url });
    expect(await left()).toEqual([9, 8]);
    expect(await left()).toEqual([7, 6]);
  });

  it("have a budget each without Redis", async () => {
    await startTwo({});
    expect(await left()).toEqual([9, 9]);
    expect(await left()).toEqual([8, 8]);
  });

  it("refuse alike when the shared budget is spent, and a refusal takes nothing off", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: "4" });
    expect(await left()).toEqual([3, 2]);
    const [first, second] = gateways as [TestGateway, TestGateway];
    const costly = "{ sipEndpoints { nodes { username } } }";
    expect(await first.ask(costly, {}, alpha)).toMatchObject({
      status: 429,
      errors: [{ extensions: { code: "RATE_LIMITED" } }],
    });
    expect((await second.ask(one, {}, alpha)).headers.get("ratelimit-remaining")).toBe("0");
    for (const gateway of gateways) expect((await gateway.ask(one, {}, alpha)).status).toBe(429);
    expect((await content()).map(({ value }) => value)).toEqual(["4"]);
    expect(await first.calls()).toEqual([]);
  });

  it("let cheap requests pass while costly ones are refused", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: "1000" });
    const [first] = gateways as [TestGateway];
    const lists = Array.from({ length: 2 }, (_, n) => `a${n}: sipEndpoints(first: 100) { nodes { type } }`);
    const asked = Array.from({ length: 50 }, () => [
      first.ask(`{ ${lists.join(" ")} }`, {}, alpha),
      first.ask(one, {}, alpha),
    ]);
    const statuses = (await Promise.all(asked.flat())).map(({ status }) => status);
    expect(statuses).toEqual(Array(50).fill([429, 200]).flat());
    expect(await left()).toEqual([899, 898]);
  });

  it("keep in Redis only what a caller has spent, and no longer than a minute", async () => {
    redis = await startRedis();
    await startTwo({ REDIS_URL: redis.url });
    const [first] = gateways as [TestGateway];
    const input = `{ username: "erin", password: ${JSON.stringify(canaries.password)} }`;
    await first.ask(`mutation { createSipEndpoint(input: ${input}) { password } }`, {}, alpha);
    await first.ask(one, {}, { authorization: "Bearer canary-secret-of-nobody" });
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
