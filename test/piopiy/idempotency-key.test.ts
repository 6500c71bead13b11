import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const scopes = "sip:read+sip:write+sip:password";
const settings = apiKeys({ first: scopes, second: scopes });
const made = /^[A-HJ-NP-Za-kmnp-z2-9]{22}$/;

const create = `mutation ($input: CreateSipEndpointInput!) {
  it: createSipEndpoint(input: $input) { password userErrors { code path } }
}`;

interface Created {
  readonly password: string | null;
  readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] }[];
}

async function ask(gateway: TestGateway, input: object, key = "first"): Promise<Created> {
  const { data, errors } = await gateway.ask<{ it: Created }>(create, { input }, bearer(key));
  expect(errors).toBeUndefined();
  return data.it;
}

describe("An idempotency key", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ gateway: settings });
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ count: 0 }));

  it.each([
    "12345678",
    "!~!~!~!~",
    '"\\"\\"\\"\\',
    "a".repeat(128),
    "0e7c8a7e-3c1f-4c7e-9d3c-6a0d5b8e2f11",
  ])("may be %j", async (idempotencyKey) => {
    const input = { username: "erin", idempotencyKey };
    const first = await ask(gateway, input);
    expect(first).toEqual({ password: expect.stringMatching(made), userErrors: [] });
    expect(await ask(gateway, input)).toEqual(first);
  });

  it.each([
    "",
    "1234567",
    "a".repeat(129),
    "a".repeat(10_000),
    "with a space",
    " 12345678",
    "12345678\n",
    "1234\u00005678",
    "1234\u007f5678",
    "schlüssel",
    "🔑🔑🔑🔑🔑🔑🔑🔑",
  ])("may not be %j, and PIOPIY is not asked", async (idempotencyKey) => {
    expect(await ask(gateway, { username: "erin", idempotencyKey })).toEqual({
      password: null,
      userErrors: [{ code: "INVALID_IDEMPOTENCY_KEY", path: ["idempotencyKey"] }],
    });
    expect(await gateway.calls()).toEqual([]);
  });

  it("that is bad is told together with the other mistakes of the input", async () => {
    const { userErrors } = await ask(gateway, { username: "", password: "", idempotencyKey: "" });
    expect(userErrors.map(({ code }) => code)).toEqual([
      "INVALID_USERNAME",
      "INVALID_PASSWORD",
      "INVALID_IDEMPOTENCY_KEY",
    ]);
  });

  it("is told to nobody: neither PIOPIY nor the log sees it", async () => {
    const idempotencyKey = "canary-idempotency-key";
    await ask(gateway, { username: "erin", idempotencyKey });
    expect(JSON.stringify(await gateway.calls())).not.toContain(idempotencyKey);
    expect(gateway.log.filter((line) => line.includes(idempotencyKey))).toEqual([]);
  });
});

describe("The password that a key makes", () => {
  let gateways: TestGateway[] = [];
  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    gateways = [];
  });

  async function passwords(secret: string): Promise<string[]> {
    const gateway = await startGateway({ gateway: settings, emulator: { EMULATOR_SECRET: secret } });
    gateways.push(gateway);
    const results: (string | null)[] = [];
    for (const username of ["erin", "Erin", "frank"]) {
      for (const idempotencyKey of ["0e7c8a7e", "0e7c8a7f", "0e7c8a7eerin"]) {
        for (const caller of ["first", "second"]) {
          await gateway.reset({ count: 0 });
          results.push((await ask(gateway, { username, idempotencyKey }, caller)).password);
        }
      }
    }
    return results.map(String);
  }

  it("is like others, and differs for each name, key, caller and account secret", async () => {
    const all = [...(await passwords("made-up-secret-1")), ...(await passwords("made-up-secret-2"))];
    expect(all).toHaveLength(36);
    for (const password of all) expect(password).toMatch(made);
    expect(new Set(all).size).toBe(36);
  });

  it("is the same at every copy of the gateway, and after a restart", async () => {
    expect(await passwords("made-up-secret-1")).toEqual(await passwords("made-up-secret-1"));
  });
});
