import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: tests of the shared cache need Redis (apt-get install redis-server).\n");

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const two = '{ sipEndpoint(username: "user0002") { username sipUri } }';
const list = "{ sipEndpoints(first: 10) { totalCount nodes { username } } }";
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

async function callsOf(act: () => Promise<unknown>): Promise<string[]> {
  const before = (await first.calls()).length;
  await act();
  return (await first.calls()).slice(before).map(({ operation }) => operation);
}

/** All that Redis holds, as texts. */
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

async function tellRedis(...command: string[]): Promise<void> {
  const client = createClient({ url: redis.url });
  await client.connect();
  await client.sendCommand(command);
  client.destroy();
}

/** Whether a gateway keeps what it reads: a read that is repeated costs one call. */
async function keeps(gateway: TestGateway): Promise<boolean> {
  await gateway.ask(two);
  return (await callsOf(() => gateway.ask(two))).length === 0;
}

describeWithRedis("Gateways that share a Redis", () => {
  it("share what they have read", async () => {
    await Promise.all([one, list].map((query) => first.ask(query)));
    expect(await callsOf(() => Promise.all([one, list].map((query) => second.ask(query))))).toEqual([]);
    expect((await second.ask(one)).data).toEqual((await first.ask(one)).data);
  });

  it("with another account at PIOPIY share nothing", async () => {
    await first.ask(one);
    const other = await startGateway({ gateway: settings() });
    await other.reset({ endpoints: [] });
    try {
      expect((await other.ask(one)).data).toEqual({ sipEndpoint: null });
      expect((await first.ask(one)).data).toMatchObject({ sipEndpoint: { username: "user0001" } });
    } finally {
      await other.close();
    }
  });

  it("answer with nothing from before a change that any of them has made", async () => {
    for (const gateway of [first, second]) for (const query of [one, two, list]) await gateway.ask(query);
    await first.ask(remove);
    await until(async () => (await second.ask<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    expect((await second.ask(list)).data).toMatchObject({ sipEndpoints: { totalCount: 24 } });
    expect(await callsOf(() => second.ask(two))).toEqual([]);
    expect(await callsOf(() => first.ask(one))).toEqual([]);
  });

  it("do not keep in Redis what was read before a change and came in after it", async () => {
    await first.fail({ operation: "get_sip", kind: "latency", ms: 500, times: 1 });
    const slow = second.ask(one);
    await until(async () => (await first.calls()).length === 1);
    await first.ask(remove);
    await slow;
    for (const gateway of [first, second]) {
      expect((await gateway.ask(one)).data).toEqual({ sipEndpoint: null });
    }
  });

  it("put no password and no secret into it", async () => {
    await first.reset({ endpoints: [{ username: "user0001", password: "canary-password" }] });
    for (const field of ["password", "sipUri"]) {
      await first.ask(`{ sipEndpoint(username: "user0001") { ${field} } }`);
      await first.ask(`{ sipEndpoints { nodes { ${field} } } }`);
    }
    await first.ask(
      'mutation { updateSipEndpoint(input: { username: "user0001", password: "canary-password-2" }) { password } }',
    );
    await first.ask(one);
    const texts = await content();
    expect(texts.some((text) => text.includes("get_sip endpoint "))).toBe(true);
    expect(texts.filter((text) => /canary|emulator-secret/.test(text))).toEqual([]);
  });

  it("take a Redis that has lost everything for one big change", async () => {
    for (const gateway of [first, second]) expect(await keeps(gateway)).toBe(true);
    await tellRedis("FLUSHALL");
    await first.ask(remove);
    await until(async () => (await second.ask<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    for (const gateway of [first, second]) expect(await keeps(gateway)).toBe(true);
  });

  it("begin anew once Redis holds more than ten thousand changes", async () => {
    const [key = ""] = (await content())
      .map((text) => text.split(" ")[0])
      .filter((name) => name?.includes("versions"));
    const fields = Array.from({ length: 10_001 }, (_, index) => [`endpoint old${index}`, "1"]).flat();
    await tellRedis("HSET", key, ...fields);
    await first.ask(one);
    await first.ask(remove);
    expect((await content()).join().length).toBeLessThan(10_000);
    await until(async () => (await second.ask<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
  });
});

describeWithRedis("Without its Redis a gateway answers, but keeps nothing:", () => {
  it.each<[string, () => Promise<void> | void]>([
    ["when it has died", () => redis.kill()],
    ["when it hangs", () => redis.freeze()],
  ])("%s", async (_, lose) => {
    await until(async () => (await keeps(first)) && (await keeps(second)));
    await first.ask(one);
    await lose();
    // Whoever has changed something meanwhile could not have told.
    await until(async () => !(await keeps(first)));
    expect((await first.ask(remove)).data).toEqual({ removeSipEndpoint: { username: "user0001" } });
    expect((await first.ask(one)).data).toEqual({ sipEndpoint: null });
    await until(async () => (await second.ask<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
  });

  it("and once it is back, nothing from before is answered", async () => {
    await Promise.all([first.ask(one), second.ask(one)]);
    await redis.kill();
    await until(async () => !(await keeps(first)));
    await first.ask(remove);
    redis = await startRedis(redis.port);
    await until(async () => (await keeps(first)) && (await keeps(second)));
    for (const gateway of [first, second])
      expect((await gateway.ask(one)).data).toEqual({ sipEndpoint: null });
  });

  it("when only its own connection is lost: the others hear of its changes as soon as it is back", async () => {
    await Promise.all([first.ask(one), second.ask(one)]);
    await tellRedis("CLIENT", "KILL", "TYPE", "pubsub");
    await first.ask(remove);
    await until(async () => (await second.ask<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    await until(async () => (await keeps(first)) && (await keeps(second)));
  });
});
