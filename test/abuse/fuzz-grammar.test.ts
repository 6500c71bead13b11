import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type Bytes, exchange, type RawResponse, request } from "../support/http/raw-http.js";
import { holdsCanary } from "../support/upstream/canaries.js";
import { production } from "./production.js";
import { CANARY, grammarRequests } from "./request-grammar.js";

const SEED = 20_261_127;
const EACH = 150;
const SIDE_BY_SIDE = 10;
/** An invalid request may block the event loop this many times longer than a valid one, or than LEAST_DELAY_MS. */
const DELAY_FACTOR = 12;
const LEAST_DELAY_MS = 25;
const ROUNDS = 10;
/** The memory that all invalid requests together may retain, besides the bounded caches. */
const RETAINED_MB = 40;

const good = request(JSON.stringify({ query: "{ sipEndpoints(first: 4) { nodes { username sipUri } } }" }));

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: { ...production, RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "trace" },
  });
  await gateway.reset({ endpoints: [{ username: "alice", password: CANARY }] });
});
afterAll(() => gateway.close());

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function retainedMegabytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

/** Sends all requests, some in parallel. Returns their responses and the longest block of the event loop. */
async function sendAll(requests: Bytes[]): Promise<{ responses: RawResponse[]; delayMs: number }> {
  const responses: RawResponse[] = [];
  const queue = requests.values();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const worker = async () => {
    for (const bytes of queue) responses.push(...(await exchange(gateway.origin, bytes)));
  };
  delay.enable();
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  delay.disable();
  return { responses, delayMs: delay.max / 1e6 };
}

/** Returns whether a response is one that no client may get. */
function isWrong({ status, body }: RawResponse): boolean {
  const { data, errors = [] } = JSON.parse(body || "{}") as {
    data?: unknown;
    errors?: { message: string }[];
  };
  return (
    status >= 500 ||
    // A response has data if and only if its status is 2xx.
    (data !== undefined) !== status < 300 ||
    (status === 294 && errors.length === 0) ||
    body.includes("INTERNAL_SERVER_ERROR") ||
    holdsCanary(JSON.stringify(errors), "password")
  );
}

function everyKind(seed: number): Bytes[] {
  return Object.values(grammarRequests).flatMap((requests) => fc.sample(requests, { seed, numRuns: EACH }));
}

describe("With requests that follow the grammar and contain secret values, the gateway", () => {
  it.each(
    Object.entries(grammarRequests),
  )(`returns and logs no secret and does not block: ${EACH} requests with generated %s`, async (_, requests) => {
    const quiet = await sendAll(Array.from({ length: EACH }, () => good));
    const logged = gateway.log.length;
    const sample = fc.sample(requests, { seed: SEED, numRuns: EACH });
    let { responses, delayMs } = await sendAll(sample);
    expect(responses).toHaveLength(EACH);
    expect(responses.filter(isWrong).map(({ body }) => body.slice(0, 500))).toEqual([]);
    const lines = gateway.log.slice(logged);
    expect(lines.filter((line) => holdsCanary(line, "password")).map((line) => line.slice(0, 500))).toEqual(
      [],
    );
    const most = DELAY_FACTOR * Math.max(quiet.delayMs, LEAST_DELAY_MS);
    // A busy machine delays some requests too, but a request that blocks the event loop does so every time.
    for (let round = 1; round < ROUNDS && delayMs > most; round += 1) ({ delayMs } = await sendAll(sample));
    expect(delayMs).toBeLessThan(most);
  });

  it("retains nothing of the requests", async () => {
    await sendAll(everyKind(SEED + 1));
    (gateway.log as string[]).length = 0;
    const before = retainedMegabytes();
    await sendAll(everyKind(SEED + 2));
    (gateway.log as string[]).length = 0;
    expect(retainedMegabytes() - before).toBeLessThan(RETAINED_MB);
  });
});
