import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type BrokenUpstream, startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import { afterTheWork, garble, honestly, sendBomb } from "./garbling-upstream.js";
import { isLong, Report } from "./report.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

const SEED = 20_260_705;
const READERS = isLong ? 100 : 2;
const MOST_BYTES = 1_000_000;
/** What may be on its way in the buffers of two connections when the gateway hangs up. */
const BUFFERED = 8_000_000;
const settings = {
  PIOPIY_TIMEOUT_MS: "2000",
  BREAKER_RESET_MS: "1",
  RATE_LIMIT_PER_MINUTE: "0",
  LOG_LEVEL: "warn",
};

const report = new Report("e", `seed ${SEED}, ${READERS} readers side by side, ${JSON.stringify(settings)}`);
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
  upstream.answer(honestly(emulator.url));
  await gateway.close();
  await proxy.close();
  await upstream.close();
  await emulator.close();
});
afterAll(() => report.write());

/** Lets all readers ask at once; tells the codes of their errors, and the most memory in use meanwhile beyond what was before. */
async function readAll(): Promise<{ codes: Set<string | undefined>; megabytes: number }> {
  const before = memory();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, memory());
  }, 2);
  const answers = await Promise.all(Array.from({ length: READERS }, () => gateway.ask(read)));
  clearInterval(watch);
  return {
    codes: new Set(answers.map(({ errors }) => errors?.[0]?.extensions.code)),
    megabytes: (most - before) / 1e6,
  };
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function expectGoodRead(): Promise<void> {
  upstream.answer(honestly(emulator.url));
  expect((await gateway.ask(read)).data).toEqual({ sipEndpoint: { username: "user0001" } });
}

describe("An upstream that changes its mind", () => {
  it.each(
    garble,
  )("is told on as UPSTREAM_INVALID_RESPONSE to who reads, and asked again: %s", async (name, send) => {
    await expectGoodRead();
    upstream.answer(send);
    proxy.forget();
    // One after another: a breaker that opens would answer the others.
    expect((await gateway.ask(read)).errors?.[0]?.extensions.code).toBe("UPSTREAM_INVALID_RESPONSE");
    const { codes, megabytes } = await readAll();
    for (const code of codes) expect(["UPSTREAM_INVALID_RESPONSE", "UPSTREAM_UNAVAILABLE"]).toContain(code);
    const perReply = proxy.counts.bytes.reply / Math.max(1, proxy.counts.exchanges);
    report.goal(
      `${name}: what is taken of a reply is bounded (${(MOST_BYTES + BUFFERED) / 1e6} MB with all buffers)`,
      `${(perReply / 1e6).toFixed(2)} MB of each of ${proxy.counts.exchanges} replies; ${megabytes.toFixed(0)} MB more memory in the whole process`,
      perReply < MOST_BYTES + BUFFERED,
    );
    expect(perReply).toBeLessThan(MOST_BYTES + BUFFERED);
    await expectGoodRead();
  });

  it.each(
    garble,
  )("after it has done the work does not hide from who writes that it is done: %s", async (_, send) => {
    for (const write of [
      'createSipEndpoint(input: { username: "new", password: "w1" }) { password userErrors { code } }',
      'updateSipEndpoint(input: { username: "new", password: "w2" }) { password userErrors { code } }',
      'removeSipEndpoint(input: { username: "new" }) { userErrors { code } }',
    ]) {
      upstream.answer(afterTheWork(emulator.url, send), send, honestly(emulator.url));
      const { data, errors } = await gateway.ask<{ w: object }>(`mutation { w: ${write} }`);
      expect(errors).toBeUndefined();
      expect(data.w).toMatchObject({ userErrors: [] });
      expect(upstream.calls.map(({ operation }) => operation).slice(1)).toEqual(["get_sip", "get_sip"]);
    }
    await expectGoodRead();
  });

  it("and sends a small reply that unpacks to 50 MB is cut off long before that", async () => {
    await expectGoodRead();
    upstream.answer(sendBomb);
    const begun = memory();
    let most = begun;
    const watch = setInterval(() => {
      most = Math.max(most, memory());
    }, 1);
    const { errors } = await gateway.ask(read);
    clearInterval(watch);
    const megabytes = (most - begun) / 1e6;
    report.goal(
      "50 kB of gzip that unpack to 50 MB: under 25 MB more memory",
      `${megabytes.toFixed(0)} MB`,
      megabytes < 25,
    );
    expect(errors?.[0]?.extensions.code).toBe("UPSTREAM_INVALID_RESPONSE");
    expect(megabytes).toBeLessThan(25);
    await expectGoodRead();
  });
});
