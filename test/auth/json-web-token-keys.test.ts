import { afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { bearer } from "../support/auth/api-keys.js";
import {
  type Issuer,
  makeKey,
  type SigningKey,
  sign,
  signWithoutId,
  startIssuer,
} from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const algorithms = ["ES256", "RS256"];

let issuer: Issuer;
let gateway: TestGateway;
const keys = new Map<string, SigningKey[]>();
beforeAll(async () => {
  for (const algorithm of algorithms) {
    keys.set(algorithm, await Promise.all(["a", "b", "c", "d"].map((id) => makeKey(id, algorithm))));
  }
});
beforeEach(async () => {
  issuer = await startIssuer();
  gateway = await startGateway({ gateway: issuer.settings });
});
afterEach(async () => {
  await gateway.close();
  await issuer.close();
});

async function status(token: string): Promise<number> {
  return (await gateway.execute('{ sipEndpoint(username: "alice") { username } }', {}, bearer(token))).status;
}

describe.each(algorithms)("With several keys of the algorithm %s", (algorithm) => {
  let first: SigningKey;
  let second: SigningKey;
  let third: SigningKey;
  let stranger: SigningKey;
  beforeEach(async () => {
    [first, second, third, stranger] = keys.get(algorithm) as [
      SigningKey,
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    await issuer.publish(first, second, third);
  });

  it("a token without a key id is accepted from each key", async () => {
    for (const key of [first, second, third]) expect(await status(await signWithoutId(key))).toBe(200);
    expect(issuer.fetches()).toBe(1);
  });

  it("a token is accepted when the keys have no ids", async () => {
    await issuer.publishWithoutIds(first, second);
    for (const key of [first, second]) expect(await status(await signWithoutId(key))).toBe(200);
  });

  it("a token is accepted when two keys have the same id", async () => {
    await issuer.publish(first, { ...second, id: first.id });
    for (const key of [first, second]) expect(await status(await sign(key, {}, first.id))).toBe(200);
  });

  it("a token without a key id is rejected when none of the keys has signed it", async () => {
    expect(await status(await signWithoutId(stranger))).toBe(401);
    expect(await status(await signWithoutId({ ...stranger, id: second.id }))).toBe(401);
  });

  it.each<[string, Record<string, unknown>]>([
    ["has expired", { exp: 1 }],
    ["never expires", { exp: undefined }],
    ["is for another audience", { aud: "another-graph" }],
    ["comes from another issuer", { iss: "https://another.example.com/" }],
  ])("a token without a key id is rejected when it %s", async (_, claims) => {
    expect(await status(await signWithoutId(second, claims))).toBe(401);
  });

  it("a new key is valid immediately, also for tokens without a key id", async () => {
    await issuer.publish(first);
    expect(await status(await signWithoutId(first))).toBe(200);
    await issuer.publish(second);
    expect(await status(await signWithoutId(second))).toBe(200);
    expect(await status(await signWithoutId(first))).toBe(401);
  });

  it("forged tokens without a key id cause at most one fetch per second", async () => {
    expect(await status(await signWithoutId(first))).toBe(200);
    const token = await signWithoutId(stranger);
    const statuses = await Promise.all(Array.from({ length: 20 }, () => status(token)));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(issuer.fetches()).toBeLessThanOrEqual(4);
  });
});
