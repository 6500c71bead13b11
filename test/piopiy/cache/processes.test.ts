import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../../src/emulator/settings.js";
import {
  type BuiltGateway,
  cachingOn,
  costOf,
  startBuiltGateway,
} from "../../support/gateway/built-gateway.js";
import { killPrograms } from "../../support/program.js";
import { hasRedis, startRedis, type TestRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: tests of two processes need Redis (apt-get install redis-server).\n");

/** The limit in docs/cache.md, in milliseconds. */
const BOUND_MS = 1000;
const ROUNDS = 30;

let redis: TestRedis;
let emulator: Emulator;
let gateways: readonly [BuiltGateway, BuiltGateway];
beforeEach(async () => {
  redis = await startRedis();
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  const env = { ...cachingOn(emulator), REDIS_URL: redis.url, LOG_LEVEL: "silent" };
  gateways = [await startBuiltGateway(env), await startBuiltGateway(env)];
  await until(async () => {
    for (const gateway of gateways) await isThere(gateway, "alice");
    return (
      (await costOf(emulator, () => Promise.all(gateways.map((gateway) => isThere(gateway, "alice"))))) === 0
    );
  });
});
afterEach(async () => {
  await killPrograms();
  await emulator.close();
  await redis.kill();
});

async function execute<Data>({ origin }: BuiltGateway, query: string, username: string): Promise<Data> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables: { username } }),
  });
  const { data, errors } = await response.json();
  expect(errors).toBeUndefined();
  return data;
}

async function isThere(gateway: BuiltGateway, username: string): Promise<boolean> {
  const query = "query ($username: ID!) { sipEndpoint(username: $username) { username } }";
  return (await execute<{ sipEndpoint: unknown }>(gateway, query, username)).sipEndpoint !== null;
}

async function write(gateway: BuiltGateway, mutation: string, username: string): Promise<void> {
  const query = `mutation ($username: ID!) { it: ${mutation}(input: { username: $username }) { userErrors { code } } }`;
  expect(await execute(gateway, query, username)).toEqual({ it: { userErrors: [] } });
}

/** Repeats a read until its response is new. Returns how long after the write an old response was still possible, in milliseconds. */
async function oldFor(gateway: BuiltGateway, username: string, isNew: boolean): Promise<number> {
  const written = performance.now();
  let last = 0;
  await until(async () => {
    const requested = performance.now() - written;
    if ((await isThere(gateway, username)) === isNew) return true;
    last = requested;
    return false;
  });
  return last;
}

describeWithRedis("Two processes that share a Redis", () => {
  it(`read a write of either at most ${BOUND_MS} ms later`, async () => {
    const delays: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [writer, reader] = round % 2 === 0 ? gateways : [gateways[1], gateways[0]];
      const username = `round-${Math.floor(round / 2)}`;
      const isNew = round % 2 === 0;
      for (const gateway of gateways) expect(await isThere(gateway, username)).toBe(!isNew);
      await write(writer, isNew ? "createSipEndpoint" : "removeSipEndpoint", username);
      expect(await oldFor(writer, username, isNew)).toBe(0);
      delays.push(await oldFor(reader, username, isNew));
    }
    expect(Math.max(...delays)).toBeLessThan(BOUND_MS);
  });

  it.each<[string, () => Promise<void> | void]>([
    ["exits", () => redis.kill()],
    ["hangs", () => redis.freeze()],
  ])("read a write as soon when Redis %s just before it", async (_, lose) => {
    const [writer, reader] = gateways;
    expect(await isThere(reader, "erin")).toBe(false);
    await lose();
    await write(writer, "createSipEndpoint", "erin");
    expect(await oldFor(writer, "erin", true)).toBe(0);
    expect(await oldFor(reader, "erin", true)).toBeLessThan(BOUND_MS);
    await write(writer, "removeSipEndpoint", "alice");
    expect(await oldFor(reader, "alice", false)).toBeLessThan(BOUND_MS);
  });
});
