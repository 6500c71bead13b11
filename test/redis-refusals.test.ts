import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { startGateway, type TestGateway } from "./support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "./support/redis.js";
import { until } from "./support/until.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: tests of rejected commands need Redis (apt-get install redis-server).\n");

/** Maximum milliseconds for which old data may be served after a change: see docs/cache.md. */
const BOUND_MS = 1000;
const one = '{ sipEndpoint(username: "alice") { username type } }';
const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';

let folder: string;
let redis: TestRedis;
let admin: Awaited<ReturnType<typeof connectAdmin>>;
let gateways: TestGateway[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "redis-"));
  redis = await startRedis(undefined, "--dir", folder);
  admin = await connectAdmin();
  gateways = [];
});
afterEach(async () => {
  admin.destroy();
  await redis.kill();
  await Promise.all(gateways.map((gateway) => gateway.close()));
  rmSync(folder, { recursive: true });
});

/** Connects as a user that the gateways do not use. */
async function connectAdmin() {
  const first = createClient({ url: redis.url });
  await first.connect();
  await first.sendCommand(["ACL", "SETUSER", "admin", "on", ">made-up", "~*", "&*", "+@all"]);
  first.destroy();
  const client = createClient({
    url: redis.url.replace("//", "//admin:made-up@"),
    disableOfflineQueue: true,
  });
  await client.connect();
  return client;
}

async function start(): Promise<TestGateway> {
  const gateway = await startGateway({
    gateway: {
      CACHE_TTL_MS: "3600000",
      REDIS_URL: redis.url,
      LOG_LEVEL: "warn",
      RATE_LIMIT_PER_MINUTE: "10000000",
      ...(gateways[0] && { PIOPIY_URL: gateways[0].piopiyUrl }),
    },
  });
  gateways.push(gateway);
  return gateway;
}

async function costOf(act: () => Promise<unknown>): Promise<number> {
  const count = async () => ((await gateways[0]?.upstreamRequests()) ?? []).length;
  const before = await count();
  await act();
  return (await count()) - before;
}

async function isCached(gateway: TestGateway): Promise<boolean> {
  await gateway.execute(one);
  return (await costOf(() => gateway.execute(one))) === 0;
}

async function readiness({ origin }: TestGateway): Promise<unknown> {
  const response = await fetch(`${origin}/health/ready`);
  const { status, redis } = (await response.json()) as { status: string; redis: string };
  // The state of PIOPIY is left out: a gateway that has only read from Redis has sent no upstream request.
  return [response.status, { status, redis }];
}

const ready = (state: "up" | "down") => [200, { status: "ready", redis: state }];
const logged = ({ log }: TestGateway, text: string) =>
  log.map((line) => JSON.parse(line)).filter(({ msg }) => msg.includes(text));

const acl = (...rules: string[]) => ["ACL", "SETUSER", "default", ...rules];

async function isReady(gateway: TestGateway, state: "up" | "down"): Promise<boolean> {
  return JSON.stringify(await readiness(gateway)) === JSON.stringify(ready(state));
}

/** Reads an endpoint that is not in memory. */
const readOther = (gateway: TestGateway) =>
  gateway.execute(one.replace("alice", `other-${performance.now()}`));

describeWithRedis("Gateways whose Redis rejects a command", () => {
  it.each<[string, string[], string[]]>([
    ["scripts", acl("-eval"), acl("+eval")],
    ["HSET", acl("-hset"), acl("+hset")],
    ["HGET", acl("-hget"), acl("+hget")],
    ["EXPIRE", acl("-expire"), acl("+expire")],
    ["PUBLISH", acl("-publish"), acl("+publish")],
    ["all channels", acl("resetchannels"), acl("allchannels")],
    ["all keys", acl("resetkeys"), acl("allkeys")],
    ["writes, as a replica", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
    ["writes, without memory", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
  ])("cache nothing, log the command once and report it in /health/ready: %s", async (_, refuse, accept) => {
    const [writer, reader] = [await start(), await start()];
    for (const gateway of gateways) {
      await until(() => isCached(gateway));
      await until(() => isReady(gateway, "up"));
    }
    await admin.sendCommand(refuse);
    await writer.execute(remove);
    const written = performance.now();
    let oldUntil = 0;
    await until(async () => {
      const requested = performance.now() - written;
      if ((await reader.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null) return true;
      oldUntil = requested;
      return false;
    });
    expect(oldUntil).toBeLessThan(BOUND_MS);
    for (const gateway of gateways) {
      await until(async () => !(await isCached(gateway)));
      await until(() => logged(gateway, "Redis command failed").length > 0);
      await until(() => isReady(gateway, "down"));
    }
    await admin.sendCommand(accept);
    for (const gateway of gateways) {
      await until(() => isCached(gateway));
      await until(async () => {
        await readOther(gateway);
        return isReady(gateway, "up");
      });
      // On a busy machine there may be a TIMEOUT too.
      const refusals = logged(gateway, "Redis command failed: EVAL for invalidations").filter(
        ({ code }) => code !== "TIMEOUT",
      );
      expect(refusals.length).toBeLessThanOrEqual(2);
      // Redis closes connections that subscribe to a channel whose permission is withdrawn.
      expect(logged(gateway, "Redis command failed")).toContainEqual(
        expect.objectContaining({ level: 40, msg: expect.stringContaining("nothing is cached") }),
      );
    }
  });

  it.each([
    ["GET", "-get", "+get", "Redis command failed: GET or PTTL for the cache"],
    ["PTTL", "-pttl", "+pttl", "Redis command failed: GET or PTTL for the cache"],
    ["SET", "-set", "+set", "Redis command failed: SET for the cache"],
    ["INCRBY", "-incrby", "+incrby", "Redis command failed: EVAL for rate limits"],
  ])("serve and invalidate without %s, log the command and report it in /health/ready", async (_, refuse, accept, message) => {
    const [writer, reader] = [await start(), await start()];
    for (const gateway of gateways) await until(() => isCached(gateway));
    await admin.sendCommand(acl(refuse));
    await writer.execute(remove);
    await until(async () => (await reader.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint === null);
    await until(async () => {
      await readOther(reader);
      return logged(reader, message).length > 0;
    });
    const [refusal] = logged(reader, message);
    expect(refusal).toMatchObject({ level: 40, code: expect.stringMatching(/^(NOPERM|ERR)$/) });
    await until(async () => {
      await readOther(reader);
      return isReady(reader, "down");
    });
    await until(() => isCached(reader));
    await admin.sendCommand(acl(accept));
    await until(async () => {
      await readOther(reader);
      return isReady(reader, "up");
    });
  });

  it.each([
    ["SUBSCRIBE", acl("-subscribe"), "Redis command failed: SUBSCRIBE for invalidations; nothing is cached"],
    [
      "channels",
      acl("resetchannels"),
      "Redis command failed: SUBSCRIBE for invalidations; nothing is cached",
    ],
    ["EVAL", acl("-eval"), "Redis command failed: EVAL for invalidations; nothing is cached"],
    ["all commands", acl("-@all"), "for invalidations; nothing is cached"],
  ])("cache nothing and log the command once, when it is rejected from the start: %s", async (_, refuse, message) => {
    await admin.sendCommand(refuse);
    const gateway = await start();
    await until(() => logged(gateway, message).length > 0);
    expect(await isCached(gateway)).toBe(false);
    expect(await readiness(gateway)).toEqual(ready("down"));
    expect((await gateway.execute<{ sipEndpoint: unknown }>(one)).data.sipEndpoint).not.toBeNull();
    const codes = logged(gateway, message).map(({ command, code }) => `${command} ${code}`);
    expect(codes).toEqual([...new Set(codes)]);
  });

  it("cache nothing and log the command, when a cluster node has none of their keys", async () => {
    admin.destroy();
    await redis.kill();
    redis = await startRedis(undefined, "--dir", folder, "--cluster-enabled", "yes");
    admin = await connectAdmin();
    const gateway = await start();
    await until(() => logged(gateway, "Redis command failed: EVAL for invalidations").length > 0);
    expect(logged(gateway, "Redis command failed: EVAL for invalidations")[0]?.code).toBe("CLUSTERDOWN");
    expect(await isCached(gateway)).toBe(false);
    expect(await readiness(gateway)).toEqual(ready("down"));
    // As the only node, it has all keys of the gateway or none, since they share one hash slot.
    await admin.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    await until(() => isCached(gateway));
  });
});
