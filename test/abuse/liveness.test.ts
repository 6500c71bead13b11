import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, cachingOn, costOf, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { KeptConnection } from "../support/gateway/kept-connection.js";
import { connectToWorkers, type WorkerConnection } from "../support/gateway/worker-connections.js";
import { killPrograms } from "../support/program.js";
import { freePort, hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const TIMEOUT_MS = 180_000;
/** The maximum time in which an old state may be served after a change, as in docs/cache.md. */
const BOUND_MS = 1000;

let emulator: Emulator;
let gateways: BuiltGateway[];
const connections: KeptConnection[] = [];
beforeEach(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  gateways = [];
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await killPrograms();
  await emulator.close();
}, TIMEOUT_MS);

async function start(env: Record<string, string>): Promise<BuiltGateway> {
  const gateway = await startBuiltGateway({ ...cachingOn(emulator), ...env });
  gateways.push(gateway);
  return gateway;
}

/** Waits until a repeated read is served from cache, or until it is not. */
async function untilCached(connection: KeptConnection, isCached = true): Promise<void> {
  await until(async () => {
    await connection.has("alice");
    return ((await costOf(emulator, () => connection.has("alice"))) === 0) === isCached;
  });
}

const childrenOf = (pid: number | undefined) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

describe("Workers of a gateway", () => {
  async function startTwo(): Promise<[WorkerConnection, WorkerConnection]> {
    const found = await connectToWorkers(await start({ WORKERS: "2" }), 2);
    connections.push(...found.map(({ connection }) => connection));
    for (const { connection } of found) await untilCached(connection);
    return found as [WorkerConnection, WorkerConnection];
  }

  it(
    "may be killed at any moment during writes, and the primary process keeps running",
    async () => {
      const gateway = await start({ WORKERS: "2", PORT: String(await freePort()), LOG_LEVEL: "error" });
      const primary = gateway.child.pid;
      let isOver = false;
      const writers = Array.from({ length: 12 }, async (_, writer) => {
        for (let round = 0; !isOver; round++) {
          const connection = new KeptConnection(gateway.origin);
          await connection.write("createSipEndpoint", `w${writer}-${round}`).catch(() => {});
          connection.close();
        }
      });
      try {
        for (let kill = 0; kill < 6; kill++) {
          await until(() => gateway.child.exitCode !== null || childrenOf(primary).length === 2);
          expect(gateway.child.exitCode).toBeNull();
          // Kills the older worker, which has load. The younger one keeps running.
          const [victim = 0] = childrenOf(primary);
          process.kill(victim, "SIGKILL");
          await until(() => !childrenOf(primary).includes(victim));
        }
      } finally {
        isOver = true;
        await Promise.all(writers);
      }
      await until(async () => {
        const connection = new KeptConnection(gateway.origin);
        connections.push(connection);
        return connection.has("alice").catch(() => false);
      });
      expect(gateway.child.exitCode).toBeNull();
      expect(gateway.output.stderr).toBe("");
    },
    TIMEOUT_MS,
  );

  it.each([
    ["an endpoint", (name: string) => `{ sipEndpoint(username: "${name}") { username } }`],
    ["the list", () => "{ sipEndpoints(first: 100) { nodes { username } } }"],
    ["the number of endpoints", () => "{ sipEndpoints(first: 1) { totalCount } }"],
    [
      "an endpoint and the list together",
      (name: string) => `{ a: sipEndpoint(username: "${name}") { type } b: sipEndpoints { totalCount } }`,
    ],
  ])(
    "serve no old state of %s after they were suspended",
    async (_, queryOf) => {
      const [writer, reader] = await startTwo();
      let old = 0;
      for (let round = 0; round < 5; round++) {
        const name = `round-${round}`;
        const query = queryOf(name);
        const before = await reader.connection.execute(query);
        expect(await reader.connection.execute(query)).toEqual(before);
        process.kill(reader.pid, "SIGSTOP");
        await writer.connection.write("createSipEndpoint", name);
        // The query is sent before the worker continues, so the worker may read it before the queued invalidation.
        const response = reader.connection.execute(query);
        process.kill(reader.pid, "SIGCONT");
        if (JSON.stringify(await response) === JSON.stringify(before)) old++;
      }
      expect(old).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    "bypass the cache while their primary process is suspended, and use it afterwards",
    async () => {
      const [writer, reader] = await startTwo();
      const primary = gateways[0]?.child.pid ?? 0;
      expect(await reader.connection.has("late")).toBe(false);
      process.kill(primary, "SIGSTOP");
      try {
        await writer.connection.write("createSipEndpoint", "late");
        expect(await reader.connection.has("late")).toBe(true);
        expect(await costOf(emulator, () => reader.connection.has("late"))).toBe(1);
      } finally {
        process.kill(primary, "SIGCONT");
      }
      await untilCached(reader.connection);
      expect(await reader.connection.has("late")).toBe(true);
    },
    TIMEOUT_MS,
  );
});

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write(
    "Skipped: the tests of a Redis that rejects writes need Redis (apt-get install redis-server).\n",
  );

describeWithRedis("Gateways whose Redis responds to PING, but rejects writes", () => {
  let redis: TestRedis;
  let admin: ReturnType<typeof createClient>;
  beforeEach(async () => {
    redis = await startRedis();
    admin = createClient({ url: redis.url.replace("//", "//admin:made-up@"), disableOfflineQueue: true });
    const first = createClient({ url: redis.url });
    await first.connect();
    await first.sendCommand(["ACL", "SETUSER", "admin", "on", ">made-up", "~*", "&*", "+@all"]);
    first.destroy();
    await admin.connect();
  });
  afterEach(async () => {
    admin.destroy();
    await redis.kill();
  });

  /** Returns the log entries of a gateway that contain a text. */
  const logged = ({ output }: BuiltGateway, text: string) =>
    output.stdout
      .split("\n")
      .filter((line) => line.includes(text))
      .map((line) => JSON.parse(line));

  it.each<[string, string, string[], string[]]>([
    ["is demoted to a replica", "READONLY", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
    ["pauses writes", "TIMEOUT", ["CLIENT", "PAUSE", "600000", "WRITE"], ["CLIENT", "UNPAUSE"]],
    ["has no memory left", "OOM", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
    [
      "forbids scripts",
      "NOPERM",
      ["ACL", "SETUSER", "default", "-eval"],
      ["ACL", "SETUSER", "default", "+eval"],
    ],
    [
      "forbids publishing",
      "ERR",
      ["ACL", "SETUSER", "default", "-publish"],
      ["ACL", "SETUSER", "default", "+publish"],
    ],
    [
      "has too few replicas",
      "NOREPLICAS",
      ["CONFIG", "SET", "min-replicas-to-write", "1"],
      ["CONFIG", "SET", "min-replicas-to-write", "0"],
    ],
  ])(
    "serve an old state for a second at most when it %s, and log %s once",
    async (_, code, refuse, accept) => {
      const env = { REDIS_URL: redis.url, LOG_LEVEL: "warn" };
      const [writing, reading] = [await start(env), await start(env)];
      const [writer, reader] = [new KeptConnection(writing.origin), new KeptConnection(reading.origin)];
      connections.push(writer, reader);
      for (const connection of [writer, reader]) await untilCached(connection);
      expect(await reader.has("late")).toBe(false);
      await admin.sendCommand(refuse);
      await writer.write("createSipEndpoint", "late");
      const written = performance.now();
      let oldUntil = 0;
      await until(async () => {
        const requested = performance.now() - written;
        if (await reader.has("late")) return true;
        oldUntil = requested;
        return false;
      });
      expect(oldUntil).toBeLessThan(BOUND_MS);
      expect(await writer.has("late")).toBe(true);
      await untilCached(reader, false);
      expect(await costOf(emulator, () => reader.has("late"))).toBe(1);
      for (const gateway of [writing, reading])
        await until(() => logged(gateway, "Redis command failed").some((line) => line.code === code));

      await admin.sendCommand(accept);
      for (const connection of [writer, reader]) await untilCached(connection);
      for (const gateway of [writing, reading]) {
        await until(() => logged(gateway, "Redis command works again").length > 0);
        // A busy machine may cause more than one TIMEOUT.
        const refusals = logged(gateway, "Redis command failed").filter((line) => line.code === code);
        if (code !== "TIMEOUT") expect(refusals).toHaveLength(1);
        expect(refusals[0]).toMatchObject({ level: 40 });
      }
    },
    TIMEOUT_MS,
  );
});
