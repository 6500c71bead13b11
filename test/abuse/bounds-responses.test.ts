import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { post, times } from "./production.js";

const MAXIMUM = 2_097_152;
const wide = {
  MAX_BODY_BYTES: "5000000",
  MAX_COST: "1000000000",
  MAX_ALIASES: "2000",
  MAX_TOKENS: "10000",
  RATE_LIMIT_PER_MINUTE: "0",
};
const tooLarge = {
  message: expect.stringContaining("(MAX_RESPONSE_BYTES)"),
  extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "MAX_RESPONSE_BYTES", maximum: MAXIMUM },
};

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { ...wide, ...settings } });
}

const speak = (text: string) => ({ pcmo: [{ action: "speak", text }] });
const report = (fields: string) => `query ($pcmo: PCMO!) { validatePcmo(pcmo: $pcmo) { ${fields} } }`;
const aliases = (field: string, count: number) => times(count, (n) => `f${n}: ${field}`);
const connect = (fields: string) =>
  `query ($call: [ConnectTargetInput!]!) { connectAction(input: { call: $call }) { ${fields} } }`;
const targets = { call: Array.from({ length: 100 }, (_, n) => ({ type: "SIP", user: `${n}`.repeat(100) })) };

describe("A response of a query with more than 2 MiB is replaced by an error:", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["a repeated document", report(aliases("normalized", 40)), speak("x".repeat(80_000))],
    ["letters of two bytes", report(aliases("normalized", 40)), speak("é".repeat(40_000))],
    ["characters that JSON escapes", report(aliases("normalized", 40)), speak('"'.repeat(40_000))],
    [
      "sentences",
      report(aliases("description", 60)),
      { pcmo: Array.from({ length: 4000 }, () => ({ action: "hangup" })) },
    ],
    [
      "problems",
      report(aliases("problems { message pointer code }", 200)),
      { pcmo: Array.from({ length: 200 }, () => ({ action: "nothing" })) },
    ],
    ["documents of targets", connect(aliases("pcmo", 200)), targets],
    [
      "rows",
      `{ sipEndpoints(first: 100) { ${aliases("nodes { username a: username b: username c: username }", 320)} } }`,
      {},
    ],
  ])("%s", async (_, query, variables) => {
    await start();
    await gateway.reset({ count: 100 });
    const { status, data, errors } = await gateway.execute(query, variables);
    expect(errors).toMatchObject([tooLarge]);
    expect(Number(errors?.[0]?.extensions.actual)).toBeGreaterThan(MAXIMUM);
    expect([status, data]).toEqual([422, undefined]);
  });

  it("one byte more than the limit", async () => {
    await start();
    const sizeOf = async (length: number) => {
      const response = await gateway.execute(report("normalized"), speak("x".repeat(length)));
      return response.errors ?? Buffer.byteLength(JSON.stringify({ data: response.data }));
    };
    const rest = Number(await sizeOf(1)) - 1;
    expect(await sizeOf(MAXIMUM - rest)).toBe(MAXIMUM);
    expect(await sizeOf(MAXIMUM - rest + 1)).toMatchObject([{ extensions: { actual: MAXIMUM + 1 } }]);
  });

  it("a part that fragments repeat a thousand times, measured only once", async () => {
    await start();
    const roots = times(32, (n) => `r${n}: validatePcmo(pcmo: $pcmo) { ...F }`);
    const query = `query ($pcmo: PCMO!) { ${roots} } fragment F on PcmoReport { ${aliases("normalized", 32)} }`;
    const { errors } = await gateway.execute(query, speak("x".repeat(90_000)));
    expect(errors).toMatchObject([tooLarge]);
    expect(Number(errors?.[0]?.extensions.actual)).toBeGreaterThan(1024 * 90_000);
  });

  it("status 422 for clients that accept application/graphql-response+json", async () => {
    await start();
    const body = { query: report(aliases("normalized", 40)), variables: speak("x".repeat(80_000)) };
    const init = post(body, { accept: "application/graphql-response+json" });
    const response = await fetch(`${gateway.origin}/graphql`, init);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [tooLarge] });
  });
});

describe("A response of a mutation", () => {
  it("is returned whole, because it may contain a password that was set", async () => {
    await start();
    const password = "\u{1F4DE}".repeat(128);
    const update = `updateSipEndpoint(input: { username: "alice", password: "${password}" }) { ...F }`;
    const query = `mutation { ${aliases(update, 60)} } fragment F on UpdateSipEndpointPayload { ${aliases("password", 80)} }`;
    const { data, errors } = await gateway.execute<Record<string, Record<string, string>>>(query);
    expect(errors).toBeUndefined();
    expect(Buffer.byteLength(JSON.stringify(data))).toBeGreaterThan(MAXIMUM);
    expect(data.f59?.f79).toBe(password);
  });
});
