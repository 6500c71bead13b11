import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { cachingOn, costOf } from "../support/gateway/built-gateway.js";
import { KeptConnection } from "../support/gateway/kept-connection.js";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { freePort, hasRedis, startRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const TIMEOUT_MS = 120_000;
const WARNING = "another program's cluster mode";

/** Starts two processes of the gateway and relays no messages between them, like pm2's cluster mode. */
const PRIMARY = `
const cluster = require("node:cluster");
cluster.setupPrimary({ exec: "dist/main.js", execArgv: [] });
cluster.fork();
cluster.fork();`;

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
});
afterAll(() => emulator.close());

let output: Program["output"];
const connections: KeptConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  // Node.js ends the other processes when their primary process is gone.
  await killPrograms();
});

/** Starts both processes. Returns one connection to each. */
async function start(env: Record<string, string>): Promise<[KeptConnection, KeptConnection]> {
  const port = String(await freePort());
  ({ output } = startProgram([process.execPath, "-e", PRIMARY], {
    ...cachingOn(emulator),
    PORT: port,
    ...env,
  }));
  await until(() => output.stdout.split("Server listening").length === 3);
  // The primary process distributes connections round-robin.
  const origin = `http://127.0.0.1:${port}`;
  const found: [KeptConnection, KeptConnection] = [new KeptConnection(origin), new KeptConnection(origin)];
  connections.push(...found);
  for (const connection of found) await connection.has("alice");
  return found;
}

/** Returns the log entries that contain a text. */
const logged = (text: string) =>
  output.stdout
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => JSON.parse(line) as { pid: number; level: number });

describe("Under a primary process of another program", () => {
  it(
    "caches nothing, shows changes of one process in the others, delays no mutation, and logs one warning for each process",
    async () => {
      const [writer, reader] = await start({});
      await until(() => new Set(logged("request completed").map(({ pid }) => pid)).size === 2);
      const readMs: number[] = [];
      const writeMs: number[] = [];
      for (let round = 0; round < 5; round++) {
        const name = `foreign-${round}`;
        let begun = performance.now();
        expect(await reader.has(name)).toBe(false);
        readMs.push(performance.now() - begun);
        begun = performance.now();
        await writer.write("createSipEndpoint", name);
        writeMs.push(performance.now() - begun);
        expect(await reader.has(name)).toBe(true);
      }
      expect(Math.min(...writeMs)).toBeLessThan(10 * Math.max(...readMs) + 100);
      expect(await costOf(emulator, () => reader.has("alice"))).toBe(1);
      const warnings = logged(WARNING);
      expect(warnings.map(({ level }) => level)).toEqual([40, 40]);
      expect(new Set(warnings.map(({ pid }) => pid)).size).toBe(2);
    },
    TIMEOUT_MS,
  );

  it(
    "starts an embedded emulator in each process",
    async () => {
      const [connection] = await start({ PIOPIY_URL: "emulator" });
      expect(await connection.has("alice")).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    "logs the warning also when GATEWAY_PRIMARY_PID is inherited from another gateway",
    async () => {
      await start({ GATEWAY_PRIMARY_PID: "1" });
      expect(logged(WARNING)).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  const itWithRedis = hasRedis ? it : it.skip;
  itWithRedis(
    "caches reads with REDIS_URL",
    async () => {
      const redis = await startRedis();
      try {
        const [writer, reader] = await start({ REDIS_URL: redis.url });
        await until(async () => {
          await reader.has("alice");
          return (await costOf(emulator, () => reader.has("alice"))) === 0;
        });
        expect(await reader.has("shared")).toBe(false);
        await writer.write("createSipEndpoint", "shared");
        await until(() => reader.has("shared"));
        expect(logged(WARNING)).toEqual([]);
      } finally {
        await redis.kill();
      }
    },
    TIMEOUT_MS,
  );
});
