import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const good = bearer("made-up-key");
const wrong = bearer("made-up-guess");
const clients = apiKeys({ "made-up-key": "sip:read" });

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startGateway({ gateway: clients });
});
afterEach(() => gateway.close());

const execute = (headers: Record<string, string>) => gateway.execute("{ __typename }", {}, headers);

/** Sends invalid credentials one after another, and returns the statuses of the responses. */
async function guess(times: number, headers: Record<string, string> = {}): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let n = 0; n < times; n++) statuses.add((await execute({ ...wrong, ...headers })).status);
  return statuses;
}

describe("An address that sends invalid credentials", () => {
  it("gets 429 from the 31st in a minute on, with the time of the next try", async () => {
    expect(await guess(30)).toEqual(new Set([401]));
    const { status, headers, errors } = await execute(wrong);
    expect(status).toBe(429);
    expect(errors).toMatchObject([{ extensions: { code: "RATE_LIMITED", retryable: true } }]);
    const seconds = Number(headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(Math.ceil(Number(errors?.[0]?.extensions.retryAfterMs) / 1000)).toBe(seconds);
  });

  it("may always send a valid one, which does not reset the count", async () => {
    expect(await guess(29)).toEqual(new Set([401]));
    expect((await execute(good)).status).toBe(200);
    expect(await guess(1)).toEqual(new Set([401]));
    expect(await guess(1)).toEqual(new Set([429]));
    expect((await execute(good)).status).toBe(200);
    expect(await guess(1)).toEqual(new Set([429]));
  });

  it("does not extend its minute by further attempts", async () => {
    await guess(31);
    const waits: number[] = [];
    for (let nth = 0; nth < 20; nth++) {
      waits.push(Number((await execute(wrong)).errors?.[0]?.extensions.retryAfterMs));
    }
    expect(waits).toEqual(waits.toSorted((one, other) => other - one));
    expect(waits[19]).toBeLessThan(Number(waits[0]));
  });

  it("does not limit other addresses and health routes", async () => {
    await guess(31);
    expect(await statusFrom("127.0.0.2", wrong)).toBe(401);
    expect(await statusFrom("127.0.0.1", wrong)).toBe(429);
    expect((await fetch(`${gateway.origin}/health/ready`)).status).toBe(200);
  });

  it("is not limited for missing credentials", async () => {
    for (let n = 0; n < 40; n++) expect((await execute({})).status).toBe(401);
    expect(await guess(30)).toEqual(new Set([401]));
  });
});

describe("The address of a client", () => {
  it("is that of `X-Forwarded-For` from a trusted proxy", async () => {
    await gateway.close();
    gateway = await startGateway({ gateway: { ...clients, TRUSTED_PROXIES: "127.0.0.0/8" } });
    await guess(30, { "x-forwarded-for": "198.51.100.7" });
    expect(await guess(1, { "x-forwarded-for": "198.51.100.7" })).toEqual(new Set([429]));
    expect(await guess(1, { "x-forwarded-for": "198.51.100.8" })).toEqual(new Set([401]));
    expect(gateway.log.join("")).toContain('"address":"198.51.100.7"');
  });

  it("is not that of `X-Forwarded-For` from other addresses", async () => {
    await guess(30, { "x-forwarded-for": "198.51.100.7" });
    expect(await guess(1, { "x-forwarded-for": "198.51.100.8" })).toEqual(new Set([429]));
    expect(gateway.log.join("")).not.toContain("198.51.100");
  });
});

/** Returns the status of a request from this loopback address. */
function statusFrom(localAddress: string, credential: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { ...credential, "content-type": "application/json" };
    const sent = request(`${gateway.origin}/graphql`, { method: "POST", localAddress, headers });
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject);
    sent.end('{"query":"{__typename}"}');
  });
}
