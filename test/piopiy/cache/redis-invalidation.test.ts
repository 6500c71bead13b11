import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { startGateway, type TestGateway } from "../../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: tests of the shared cache need Redis (apt-get install redis-server).\n");

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const two = '{ sipEndpoint(username: "user0002") { username sipUri } }';
const list = "{ sipEndpoints(first: 10) { totalCount nodes { username } } }";
const update =
  'mutation { updateSipEndpoint(input: { username: "user0001", password: "made-up-9" }) { username } }';
const remove = 'mutation { removeSipEndpoint(input: { username: "user0001" }) { username } }';

let redis: TestRedis;
let first: TestGateway;
let second: TestGateway;
beforeEach(async () => {
  redis = await startRedis();
  first = await startGateway({ gateway: settings() });
  await first.reset({ count: 25 });
  second = await startGateway({ gateway: { ...settings(), PIOPIY_URL: first.piopiyUrl } });
});
afterEach(async () => {
  await redis.kill();
  await Promise.all([first.close(), second.close()]);
});

const settings = () => ({ CACHE_TTL_MS: "60000", REDIS_URL: redis.url, LOG_LEVEL: "warn" });

async function requestsOf(act: () => Promise<unknown>): Promise<string[]> {
  const before = (await first.upstreamRequests()).length;
  await act();
  return (await first.upstreamRequests()).slice(before).map(({ operation }) => operation);
}

/** Returns everything that Redis contains, as texts. */
async function content(): Promise<string[]> {
  const client = createClient({ url: redis.url });
  await client.connect();
  const texts: string[] = [];
  for (const key of await client.keys("*")) {
    const isHash = (await client.type(key)) === "hash";
    texts.push(`${key} ${isHash ? JSON.stringify(await client.hGetAll(key)) : await client.get(key)}`);
  }
  client.destroy();
  return texts;
}

async function publish(...command: string[]): Promise<void> {
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(command);
  client.destroy();
}

/** Returns whether a gateway caches reads: a repeated read then sends no upstream request. */
async function isCaching(gateway: TestGateway): Promise<boolean> {
  await gateway.execute(two);
  return (await requestsOf(() => gateway.execute(two))).length === 0;
}

describeWithRedis("Gateways that share a Redis", () => {
  it("share their cached reads", async () => {
    const readBy = (gateway: TestGateway) => Promise.all([one, list].map((query) => gateway.execute(query)));
    // While Redis is slower than 250 ms, as on a busy machine, nothing is shared.
    await until(async () => {
      await first.execute(update);
      await readBy(first);
      return (await requestsOf(() => readBy(second))).length === 0;
    });
    expect((await second.execute(one)).data).toEqual((await first.execute(one)).data);
  });

  it("share nothing with a gateway for another account", async () => {
    await first.execute(one);
    const other = await startGateway({ gateway: settings() });
    await other.reset({ endpoints: [] });
    try {
      expect((await other.execute(one)).data).toEqual({ sipEndpoint: null });
      expect((await first.execute(one)).data).toMatchObject({ sipEndpoint: { username: "user0001" } });
    } finally {
      await other.close();
    }
  });

  it("return no data from before a change by either of them", async () => {
    // While Redis is slower than 250 ms, as on a busy machine, nothing is cached.
    await until(async () => {
      await first.reset({ count: 25 });
      await first.execute(update);
      for (const gateway of [first, second])
        for (const query of [one, two, list]) await gateway.execute(query);
      await first.execute(remove);
      await until(
        async () => (await second.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null,
      );
      expect((await second.execute(list)).data).toMatchObject({ sipEndpoints: { totalCount: 24 } });
      const other = await requestsOf(() => second.execute(two));
      const removed = await requestsOf(() => first.execute(one));
      return other.length + removed.length === 0;
    });
  });

  it("do not cache a read that began before a change and ended after it", async () => {
    await first.addFault({ operation: "get_sip", kind: "latency", ms: 500, times: 1 });
    const slow = second.execute(one);
    await until(async () => (await first.upstreamRequests()).length === 1);
    await first.execute(remove);
    await slow;
    for (const gateway of [first, second]) {
      expect((await gateway.execute(one)).data).toEqual({ sipEndpoint: null });
    }
  });

  it("store no password and no secret in it", async () => {
    await first.reset({ endpoints: [{ username: "user0001", password: "canary-password" }] });
    for (const field of ["password", "sipUri"]) {
      await first.execute(`{ sipEndpoint(username: "user0001") { ${field} } }`);
      await first.execute(`{ sipEndpoints { nodes { ${field} } } }`);
    }
    await first.execute(
      'mutation { updateSipEndpoint(input: { username: "user0001", password: "canary-password-2" }) { password } }',
    );
    await first.execute(one);
    const texts = await content();
    expect(texts.some((text) => text.includes("get_sip endpoint "))).toBe(true);
    expect(texts.filter((text) => /canary|emulator-secret/.test(text))).toEqual([]);
  });

  it("drop all cached reads when Redis has lost its data", async () => {
    for (const gateway of [first, second]) await until(() => isCaching(gateway));
    await publish("FLUSHALL");
    await first.execute(remove);
    await until(async () => (await second.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    for (const gateway of [first, second]) await until(() => isCaching(gateway));
  });

  it("drop all versions once Redis stores more than ten thousand changes", async () => {
    const [key = ""] = (await content())
      .map((text) => text.split(" ")[0])
      .filter((name) => name?.includes("versions"));
    const fields = Array.from({ length: 10_001 }, (_, index) => [`endpoint old${index}`, "1"]).flat();
    await publish("HSET", key, ...fields);
    await first.execute(one);
    await first.execute(remove);
    expect((await content()).join().length).toBeLessThan(10_000);
    await until(async () => (await second.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
  });
});

describeWithRedis("A gateway without its Redis responds, but caches nothing:", () => {
  it.each<[string, () => Promise<void> | void]>([
    ["when Redis has exited", () => redis.kill()],
    ["when it hangs", () => redis.freeze()],
  ])("%s", async (_, lose) => {
    await until(async () => (await isCaching(first)) && (await isCaching(second)));
    await first.execute(one);
    await lose();
    // The change of another process could not be published now.
    await until(async () => !(await isCaching(first)));
    expect((await first.execute(remove)).data).toEqual({ removeSipEndpoint: { username: "user0001" } });
    expect((await first.execute(one)).data).toEqual({ sipEndpoint: null });
    await until(async () => (await second.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
  });

  it("and once it is back, no data from before is returned", async () => {
    await Promise.all([first.execute(one), second.execute(one)]);
    await redis.kill();
    await until(async () => !(await isCaching(first)));
    await first.execute(remove);
    redis = await startRedis(redis.port);
    await until(async () => (await isCaching(first)) && (await isCaching(second)));
    for (const gateway of [first, second])
      expect((await gateway.execute(one)).data).toEqual({ sipEndpoint: null });
  });

  it("when only its own connection is lost; others receive its changes as soon as it is back", async () => {
    await Promise.all([first.execute(one), second.execute(one)]);
    await publish("CLIENT", "KILL", "TYPE", "pubsub");
    await first.execute(remove);
    await until(async () => (await second.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    await until(async () => (await isCaching(first)) && (await isCaching(second)));
  });
});
