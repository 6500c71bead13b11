import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type BrokenUpstream, startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import { garble, garbleAfter, passOn, sendBomb } from "./garbling-upstream.js";
import { isLong, Report } from "./report.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

const SEED = 20_260_705;
const READERS = isLong ? 100 : 2;
const MOST_BYTES = 1_000_000;
/** Bytes that may be in the buffers of two connections when the gateway disconnects. */
const BUFFERED = 8_000_000;
const settings = {
  PIOPIY_TIMEOUT_MS: "2000",
  BREAKER_RESET_MS: "1",
  RATE_LIMIT_PER_MINUTE: "0",
  LOG_LEVEL: "warn",
};

const report = new Report("e", `seed ${SEED}, ${READERS} readers in parallel, ${JSON.stringify(settings)}`);
const read = '{ sipEndpoint(username: "user0001") { username } }';
let emulator: Emulator;
let upstream: BrokenUpstream;
let proxy: TcpProxy;
let gateway: TestGateway;
beforeEach(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  await fetch(`${emulator.origin}/_emulator/reset`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"count":5}',
  });
  upstream = await startBrokenUpstream();
  proxy = await startTcpProxy(upstream.url, SEED);
  gateway = await startGateway({ gateway: { ...settings, PIOPIY_URL: proxy.url } });
});
afterEach(async () => {
  upstream.respond(passOn(emulator.url));
  await gateway.close();
  await proxy.close();
  await upstream.close();
  await emulator.close();
});
afterAll(() => report.write());

/** Reads with all readers together. Returns the codes of their errors, and the peak of additional memory in megabytes. */
async function readAll(): Promise<{ codes: Set<string | undefined>; megabytes: number }> {
  const before = memory();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, memory());
  }, 2);
  const responses = await Promise.all(Array.from({ length: READERS }, () => gateway.execute(read)));
  clearInterval(watch);
  return {
    codes: new Set(responses.map(({ errors }) => errors?.[0]?.extensions.code)),
    megabytes: (most - before) / 1e6,
  };
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function expectGoodRead(): Promise<void> {
  upstream.respond(passOn(emulator.url));
  expect((await gateway.execute(read)).data).toEqual({ sipEndpoint: { username: "user0001" } });
}

describe("An upstream whose responses become invalid", () => {
  it.each(
    garble,
  )("causes UPSTREAM_INVALID_RESPONSE for reads, and works again after that: %s", async (name, send) => {
    await expectGoodRead();
    upstream.respond(send);
    proxy.resetCounts();
    // Before all others, since the circuit breaker may open during those.
    expect((await gateway.execute(read)).errors?.[0]?.extensions.code).toBe("UPSTREAM_INVALID_RESPONSE");
    const { codes, megabytes } = await readAll();
    for (const code of codes) expect(["UPSTREAM_INVALID_RESPONSE", "UPSTREAM_UNAVAILABLE"]).toContain(code);
    const perReply = proxy.counts.bytes.reply / Math.max(1, proxy.counts.exchanges);
    report.goal(
      `${name}: bytes read of a response are limited (${(MOST_BYTES + BUFFERED) / 1e6} MB with all buffers)`,
      `${(perReply / 1e6).toFixed(2)} MB of each of ${proxy.counts.exchanges} responses; ${megabytes.toFixed(0)} MB more memory in the whole process`,
      perReply < MOST_BYTES + BUFFERED,
    );
    expect(perReply).toBeLessThan(MOST_BYTES + BUFFERED);
    await expectGoodRead();
  });

  it.each(garble)("does not hide the success of writes that have taken effect: %s", async (_, send) => {
    for (const write of [
      'createSipEndpoint(input: { username: "new", password: "w1" }) { password userErrors { code } }',
      'updateSipEndpoint(input: { username: "new", password: "w2" }) { password userErrors { code } }',
      'removeSipEndpoint(input: { username: "new" }) { userErrors { code } }',
    ]) {
      upstream.respond(garbleAfter(emulator.url, send), send, passOn(emulator.url));
      const { data, errors } = await gateway.execute<{ w: object }>(`mutation { w: ${write} }`);
      expect(errors).toBeUndefined();
      expect(data.w).toMatchObject({ userErrors: [] });
      expect(upstream.requests.map(({ operation }) => operation).slice(1)).toEqual(["get_sip", "get_sip"]);
    }
    await expectGoodRead();
  });

  it("may send a small response that expands to 50 MB: reading stops long before that", async () => {
    await expectGoodRead();
    upstream.respond(sendBomb);
    const begun = memory();
    let most = begun;
    const watch = setInterval(() => {
      most = Math.max(most, memory());
    }, 1);
    const { errors } = await gateway.execute(read);
    clearInterval(watch);
    const megabytes = (most - begun) / 1e6;
    report.goal(
      "50 kB of gzip that expand to 50 MB: less than 25 MB more memory",
      `${megabytes.toFixed(0)} MB`,
      megabytes < 25,
    );
    expect(errors?.[0]?.extensions.code).toBe("UPSTREAM_INVALID_RESPONSE");
    expect(megabytes).toBeLessThan(25);
    await expectGoodRead();
  });
});
