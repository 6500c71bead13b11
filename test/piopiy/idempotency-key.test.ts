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

async function execute(gateway: TestGateway, input: object, key = "first"): Promise<Created> {
  const { data, errors } = await gateway.execute<{ it: Created }>(create, { input }, bearer(key));
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
    const first = await execute(gateway, input);
    expect(first).toEqual({ password: expect.stringMatching(made), userErrors: [] });
    expect(await execute(gateway, input)).toEqual(first);
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
  ])("may not be %j, and no upstream request is sent", async (idempotencyKey) => {
    expect(await execute(gateway, { username: "erin", idempotencyKey })).toEqual({
      password: null,
      userErrors: [{ code: "INVALID_IDEMPOTENCY_KEY", path: ["idempotencyKey"] }],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("that is invalid is reported together with the other errors of the input", async () => {
    const { userErrors } = await execute(gateway, { username: "", password: "", idempotencyKey: "" });
    expect(userErrors.map(({ code }) => code)).toEqual([
      "INVALID_USERNAME",
      "INVALID_PASSWORD",
      "INVALID_IDEMPOTENCY_KEY",
    ]);
  });

  it("appears neither in upstream requests nor in the log", async () => {
    const idempotencyKey = "canary-idempotency-key";
    await execute(gateway, { username: "erin", idempotencyKey });
    expect(JSON.stringify(await gateway.upstreamRequests())).not.toContain(idempotencyKey);
    expect(gateway.log.filter((line) => line.includes(idempotencyKey))).toEqual([]);
  });
});

describe("The password that is derived from a key", () => {
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
        for (const client of ["first", "second"]) {
          await gateway.reset({ count: 0 });
          results.push((await execute(gateway, { username, idempotencyKey }, client)).password);
        }
      }
    }
    return results.map(String);
  }

  it("has the usual format, and differs for each name, key, client and account secret", async () => {
    const all = [...(await passwords("made-up-secret-1")), ...(await passwords("made-up-secret-2"))];
    expect(all).toHaveLength(36);
    for (const password of all) expect(password).toMatch(made);
    expect(new Set(all).size).toBe(36);
  });

  it("is the same for every copy of the gateway, and after a restart", async () => {
    expect(await passwords("made-up-secret-1")).toEqual(await passwords("made-up-secret-1"));
  });
});
