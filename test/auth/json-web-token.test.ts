import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { base64url, UnsecuredJWT } from "jose";
import { bearer } from "../support/auth/api-keys.js";
import {
  goodClaims,
  type Issuer,
  makeKey,
  type SigningKey,
  sign,
  signByPublicKey,
  startIssuer,
} from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let gateway: TestGateway;
let key: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  stranger = await makeKey("key-of-a-stranger");
  await issuer.publish(key);
  gateway = await startGateway({ gateway: { ...issuer.settings, TRUSTED_PROXIES: "127.0.0.1" } });
});
afterEach(async () => {
  issuer.respond(undefined);
  await issuer.publish(key);
  await execute(await sign(key));
  await gateway.reset();
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const read = '{ sipEndpoint(username: "alice") { username } }';
// Each request comes from another address, so that invalid tokens are not counted together.
let requested = 0;
const execute = (token: string) => {
  requested += 1;
  const headers = { ...bearer(token), "x-forwarded-for": `198.51.100.${requested}` };
  return gateway.execute<{ sipEndpoint: unknown }>(read, {}, headers);
};
const now = () => Math.floor(Date.now() / 1000);

async function expectRefused(token: string): Promise<void> {
  const { status, errors } = await execute(token);
  expect(status).toBe(401);
  expect(errors).toMatchObject([{ extensions: { code: "UNAUTHENTICATED", retryable: false } }]);
  expect(await gateway.upstreamRequests()).toEqual([]);
}

describe("A token", () => {
  it.each([
    "ES256",
    "ES512",
    "EdDSA",
    "PS256",
    "RS256",
  ])("that a key of the issuer has signed is accepted: %s", async (algorithm) => {
    const other = await makeKey(`key-${algorithm}`, algorithm);
    await issuer.publish(key, other);
    expect((await execute(await sign(other))).data).toEqual({ sipEndpoint: { username: "alice" } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["has expired", { exp: now() - 60 }],
    ["never expires", { exp: undefined }],
    ["is not valid yet", { nbf: now() + 600 }],
    ["is for another audience", { aud: "another-graph" }],
    ["is for no audience", { aud: undefined }],
    ["comes from another issuer", { iss: "https://another.example.com/" }],
    ["comes from no issuer", { iss: undefined }],
  ])("is rejected when it %s", async (_, claims) => {
    await expectRefused(await sign(key, claims));
  });

  it("is accepted for a few seconds after it has expired, since clocks differ", async () => {
    expect((await execute(await sign(key, { exp: now() - 1 }))).status).toBe(200);
  });

  it.each<[string, () => string | Promise<string>]>([
    ["alg none", () => new UnsecuredJWT(goodClaims).encode()],
    ["HS256 with the public key as secret", () => signByPublicKey(key)],
    ["an unknown key id", () => sign(stranger)],
    ["another key with a known id", () => sign(stranger, {}, key.id)],
    ["changed claims", async () => (await sign(key)).replace(/\.[^.]+\./, `.${claims()}.`)],
    ["no signature", async () => (await sign(key)).replace(/[^.]+$/, "")],
    ["no dots", () => "made-up"],
    ["nothing between the dots", () => ".."],
    ["five parts", () => "a.b.c.d.e"],
    ["a header that is not JSON", () => `${base64url.encode("{")}.e30.AA`],
    ["an unknown critical header", () => `${header({ alg: "ES256", crit: ["b64"], b64: false })}.e30.AA`],
  ])("is rejected with %s", async (_, make) => {
    await expectRefused(await make());
  });

  it("contains the name and the scopes of its client", async () => {
    const { data, errors } = await gateway.execute(
      '{ sipEndpoint(username: "alice") { username password } }',
      {},
      bearer(await sign(key, { sub: "night-shift", scope: "openid sip:read sip:password" })),
    );
    expect([data, errors]).toMatchObject([{ sipEndpoint: { username: "alice" } }, undefined]);
    expect(JSON.parse(gateway.log.at(-2) ?? "")).toMatchObject({
      who: "night-shift",
      what: "SipEndpoint.password",
    });
  });

  it("is neither in a response nor in the log", async () => {
    const tokens = [await sign(key), await sign(key, { exp: 1 }), await sign(stranger)];
    const responses = await Promise.all(tokens.map(execute));
    expect(responses.map(({ status }) => status)).toEqual([200, 401, 401]);
    const shown = gateway.log.join("") + JSON.stringify(responses);
    const parts = tokens.flatMap((token) => token.split("."));
    expect(parts.filter((part) => shown.includes(part))).toEqual([]);
    expect(shown).toContain('"reason":"expired"');
  });

  it.each([
    undefined,
    "",
    "openid",
    "sip:write",
    "sip:reader",
  ])("allows no reads with the scope %j", async (scope) => {
    const { status, errors } = await execute(await sign(key, { scope }));
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ path: ["sipEndpoint"], extensions: { code: "FORBIDDEN" } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("The issuer's keys", () => {
  it("are fetched once for many tokens", async () => {
    await execute(await sign(key));
    const before = issuer.fetches();
    const token = await sign(key);
    await Promise.all(Array.from({ length: 20 }, () => execute(token)));
    expect(issuer.fetches()).toBe(before);
  });

  it("may change while the gateway runs: a new key is valid immediately, and a removed one is invalid", async () => {
    const [old, fresh] = [await sign(key), await makeKey("key-2")];
    expect((await execute(old)).status).toBe(200);
    await issuer.publish(fresh);
    expect((await execute(await sign(fresh))).status).toBe(200);
    await expectRefusedAfterReset(old);
  });

  it("are not fetched for each invented key id", async () => {
    const before = issuer.fetches();
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, n) => sign(stranger, {}, `invented-${n}`)),
    );
    const responses = await Promise.all(tokens.map(execute));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]));
    expect(issuer.fetches() - before).toBeLessThanOrEqual(2);
  });

  it.each<[string, Parameters<Issuer["respond"]>[0]]>([
    ["returns 500", (response) => response.writeHead(500).end()],
    ["returns a page", (response) => response.end("<h1>Later</h1>")],
    ["returns invalid keys", (response) => response.end('{"keys":5}')],
    ["closes the connection", (response) => response.destroy()],
  ])("are unavailable, and the login gets 503, while the issuer %s", async (_, responder) => {
    const fresh = await makeKey(`key-${Math.random()}`);
    await issuer.publish(key, fresh);
    issuer.respond(responder);
    const { status, errors } = await execute(await sign(fresh));
    expect(status).toBe(503);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    issuer.respond(undefined);
    expect((await execute(await sign(fresh))).status).toBe(200);
  });
});

async function expectRefusedAfterReset(token: string): Promise<void> {
  await gateway.reset();
  await expectRefused(token);
}

function claims(): string {
  return base64url.encode(JSON.stringify({ ...goodClaims, scope: "sip:read sip:write" }));
}

function header(fields: object): string {
  return base64url.encode(JSON.stringify(fields));
}
