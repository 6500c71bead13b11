import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { type Bytes, exchange, type RawResponse } from "../support/http/raw-http.js";
import { brokenHeads, oddHeads } from "./bad-heads.js";
import { wholeRequests } from "./bad-requests.js";
import { brokenRequests } from "./broken-requests.js";
import { production } from "./production.js";

const SEED = 20_240_607;
const EACH = 700;
const SIDE_BY_SIDE = 50;
/** The log level of errors. */
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
  const { data } = await gateway.execute("{ sipEndpoints(first: 1) { pageInfo { hasPreviousPage } } }");
  return data;
}

/** Returns the problem of a response to an invalid request, or undefined. */
function fault({ status, body }: RawResponse): string | undefined {
  if (!(status >= 100 && status < 500)) return `status ${status}: ${body}`;
  if (body.includes("INTERNAL_SERVER_ERROR")) return body;
  try {
    if (body) JSON.parse(body);
    return undefined;
  } catch {
    return `not JSON: ${body}`;
  }
}

/** Sends all requests, some in parallel, and returns those with a problem. */
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

const responded = async (bytes: Bytes) => {
  const responses = await exchange(gateway.origin, bytes);
  return responses.length === 0 ? ["no response"] : responses.map(fault);
};
const notBroken = async (bytes: Bytes) => (await exchange(gateway.origin, bytes, readList())).map(fault);

// Jest also fails a test that causes an unhandled rejection.
describe("The gateway responds to invalid requests in JSON without an internal error, and serves the next request:", () => {
  it.each(Object.entries({ ...wholeRequests, ...oddHeads }))(`${EACH} %s`, async (_, requests) => {
    const sample = fc.sample(requests, { seed: SEED, numRuns: EACH });
    expect(await faultsOf(sample, responded)).toEqual([]);
  });

  it.each(
    Object.entries({ ...brokenRequests, ...brokenHeads }),
  )(`${EACH} %s, some of which get no response`, async (_, requests) => {
    const sample = fc.sample(requests, { seed: SEED, numRuns: EACH });
    expect(await faultsOf(sample, notBroken)).toEqual([]);
  });
});
