import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const MOST = 30;

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string>): Promise<void> {
  gateway = await startGateway({ gateway: { ...apiKeys({ "made-up-key": "sip:read" }), ...settings } });
}

/** Returns the status of a login with this `X-Forwarded-For`. */
async function login(credential: string, forwarded: string): Promise<number> {
  const headers = { ...bearer(credential), "x-forwarded-for": forwarded };
  return (await gateway.execute("{ __typename }", {}, headers)).status;
}

/** Sends the maximum number of invalid credentials of an address. */
async function guess(forwarded: (nth: number) => string): Promise<void> {
  for (let nth = 1; nth <= MOST; nth++) expect(await login("made-up-guess", forwarded(nth))).toBe(401);
}

/** Sends invalid credentials with a different header each time, and expects all to be counted for the same address. */
async function expectOneAddress(forwarded: (nth: number) => string): Promise<void> {
  await guess(forwarded);
  expect(await login("made-up-guess", forwarded(MOST + 1))).toBe(429);
  expect(await login("made-up-key", forwarded(MOST + 1))).toBe(200);
}

describe("A client behind a trusted proxy that sends invalid credentials", () => {
  it("is not counted by an address that it adds before its own", async () => {
    await start({ TRUSTED_PROXIES: "127.0.0.1" });
    await expectOneAddress((nth) => `198.51.100.${nth}, 192.0.2.1`);
    expect(await login("made-up-guess", "198.51.100.1")).toBe(401);
  });

  it("is counted by its own address behind two trusted proxies", async () => {
    await start({ TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8" });
    await expectOneAddress((nth) => `192.0.2.1, 10.0.0.${nth}`);
    expect(await login("made-up-guess", "192.0.2.2, 10.0.0.1")).toBe(401);
  });
});

describe("A client behind an untrusted proxy", () => {
  it("is not counted by an address that it claims", async () => {
    await start({ TRUSTED_PROXIES: "10.0.0.0/8" });
    await expectOneAddress((nth) => `192.0.2.${nth}`);
  });
});
