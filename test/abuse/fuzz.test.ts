import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type Bytes, exchange, type RawAnswer } from "../support/http/raw-http.js";
import { brokenHeads, oddHeads } from "./bad-heads.js";
import { wholeRequests } from "./bad-requests.js";
import { brokenRequests } from "./broken-requests.js";
import { production } from "./production.js";

const SEED = 20_240_607;
const EACH = 700;
const SIDE_BY_SIDE = 50;
/** The level of a line of the log that tells of a failure. */
const ERROR = 50;

let gateway: TestGateway;
let logged = 0;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: { ...production, RATE_LIMIT_PER_MINUTE: "0", LOG_LEVEL: "error" },
  });
});
afterAll(() => gateway.close());
afterEach(async () => {
  expect(await readList()).toEqual({ sipEndpoints: { pageInfo: { hasPreviousPage: false } } });
  const lines = gateway.log.slice(logged);
  logged = gateway.log.length;
  expect(lines.filter((line) => JSON.parse(line).level >= ERROR)).toEqual([]);
});

async function readList() {
  const { data } = await gateway.ask("{ sipEndpoints(first: 1) { pageInfo { hasPreviousPage } } }");
  return data;
}

/** What is wrong with an answer to a bad request, if anything is. */
function fault({ status, body }: RawAnswer): string | undefined {
  if (!(status >= 100 && status < 500)) return `status ${status}: ${body}`;
  if (body.includes("INTERNAL_SERVER_ERROR")) return body;
  try {
    if (body) JSON.parse(body);
    return undefined;
  } catch {
    return `no JSON: ${body}`;
  }
}

/** Sends all, some of them side by side, and collects the requests that went wrong. */
async function faultsOf(
  requests: Bytes[],
  sendOne: (bytes: Bytes) => Promise<(string | undefined)[]>,
): Promise<object[]> {
  const wrong: object[] = [];
  const queue = requests.values();
  const worker = async () => {
    for (const bytes of queue) {
      const faults = (await sendOne(bytes)).filter((text) => text !== undefined);
      if (faults.length > 0) wrong.push({ faults, bytes: bytes.slice(0, 2000) });
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return wrong;
}

const answered = async (bytes: Bytes) => {
  const answers = await exchange(gateway.origin, bytes);
  return answers.length === 0 ? ["no answer"] : answers.map(fault);
};
const notBroken = async (bytes: Bytes) => (await exchange(gateway.origin, bytes, readList())).map(fault);

// Jest fails a test during which a rejection is handled by nobody.
describe("The gateway answers every bad request in JSON and with no failure of its own, and stays well:", () => {
  it.each(Object.entries({ ...wholeRequests, ...oddHeads }))(`${EACH} %s`, async (_, requests) => {
    const sample = fc.sample(requests, { seed: SEED, numRuns: EACH });
    expect(await faultsOf(sample, answered)).toEqual([]);
  });

  it.each(
    Object.entries({ ...brokenRequests, ...brokenHeads }),
  )(`${EACH} %s, of which some are no requests`, async (_, requests) => {
    const sample = fc.sample(requests, { seed: SEED, numRuns: EACH });
    expect(await faultsOf(sample, notBroken)).toEqual([]);
  });
});
