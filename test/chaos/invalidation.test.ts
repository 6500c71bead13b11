import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, cachingOn, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { KeptConnection } from "../support/gateway/kept-connection.js";
import { connectToWorkers } from "../support/gateway/worker-connections.js";
import { killPrograms } from "../support/program.js";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { until } from "../support/until.js";
import { isLong, Report } from "./report.js";

const CHECKS = isLong ? 20_000 : 300;
/** Pairs of a writer and a reader in parallel. */
const PAIRS = 4;
/** The bound in docs/cache.md. */
const BOUND_MS = 1000;
const TIMEOUT_MS = isLong ? 1_800_000 : 180_000;

const report = new Report(
  "g",
  `node dist/main.js twice on one Redis, and with WORKERS=2; ${PAIRS} pairs write by one process and read by the other right after the response to the mutation`,
);
let emulator: Emulator;
let redis: TestRedis | undefined;
const connections: KeptConnection[] = [];
beforeEach(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await killPrograms();
  await redis?.kill();
  await emulator.close();
});
afterAll(() => report.write());

function start(env: Record<string, string>): Promise<BuiltGateway> {
  return startBuiltGateway({ ...cachingOn(emulator), ...env });
}

interface Pair {
  readonly writer: KeptConnection;
  readonly reader: KeptConnection;
}

/** Returns for each late check after how many milliseconds the last read began that returned the old state. */
async function lateChecks(pairs: readonly Pair[]): Promise<number[]> {
  const late: number[] = [];
  await Promise.all(
    pairs.map(async ({ writer, reader }, pair) => {
      const username = `pair-${pair}`;
      for (let check = 0; check < CHECKS / PAIRS; check++) {
        const isThere = check % 2 === 0;
        // The reader must have cached the old state, else no read could be late.
        expect(await reader.has(username)).toBe(!isThere);
        await writer.write(isThere ? "createSipEndpoint" : "removeSipEndpoint", username);
        const written = performance.now();
        let lateMs: number | undefined;
        await until(async () => {
          const requested = performance.now() - written;
          if ((await reader.has(username)) === isThere) return true;
          lateMs = requested;
          return false;
        });
        if (lateMs !== undefined) late.push(lateMs);
      }
    }),
  );
  return late;
}

function reportLate(what: string, late: readonly number[]): number {
  const maxMs = Math.max(0, ...late);
  report.goal(
    `${what}: reads that return the old state more than ${BOUND_MS} ms after a mutation: none`,
    `${late.length} of ${CHECKS} late, the last old state ${maxMs.toFixed(1)} ms after the mutation`,
    maxMs < BOUND_MS,
  );
  return maxMs;
}

describe("After a mutation, another process reads the new state", () => {
  (hasRedis ? it : it.skip)(
    "within the bound, over Redis",
    async () => {
      redis = await startRedis();
      const env = { REDIS_URL: redis.url, LOG_LEVEL: "warn" };
      const [one, other] = [await start(env), await start(env)];
      const pairs = Array.from({ length: PAIRS }, (_, pair) => ({
        writer: new KeptConnection((pair % 2 === 0 ? one : other).origin),
        reader: new KeptConnection((pair % 2 === 0 ? other : one).origin),
      }));
      connections.push(...pairs.flatMap(({ writer, reader }) => [writer, reader]));
      expect(reportLate("two processes on one Redis", await lateChecks(pairs))).toBeLessThan(BOUND_MS);
    },
    TIMEOUT_MS,
  );

  it(
    "immediately, over the primary process of workers",
    async () => {
      const gateway = await start({ WORKERS: "2" });
      const pairs: Pair[] = [];
      for (let pair = 0; pair < PAIRS; pair++) {
        const found = await connectToWorkers(gateway, 2);
        const [one, other] = found.sort((a, b) => (pair % 2 === 0 ? a.pid - b.pid : b.pid - a.pid));
        if (one && other) pairs.push({ writer: one.connection, reader: other.connection });
      }
      connections.push(...pairs.flatMap(({ writer, reader }) => [writer, reader]));
      expect(reportLate("two workers", await lateChecks(pairs))).toBe(0);
    },
    TIMEOUT_MS,
  );
});
