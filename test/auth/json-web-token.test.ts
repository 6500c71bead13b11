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
  issuer.answer(undefined);
  await issuer.publish(key);
  await ask(await sign(key));
  await gateway.reset();
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const read = '{ sipEndpoint(username: "alice") { username } }';
// Each from an address of its own, so that the wrong ones do not add up.
let asked = 0;
const ask = (token: string) => {
  asked += 1;
  const headers = { ...bearer(token), "x-forwarded-for": `198.51.100.${asked}` };
  return gateway.ask<{ sipEndpoint: unknown }>(read, {}, headers);
};
const now = () => Math.floor(Date.now() / 1000);

async function expectRefused(token: string): Promise<void> {
  const { status, errors } = await ask(token);
  expect(status).toBe(401);
  expect(errors).toMatchObject([{ extensions: { code: "UNAUTHENTICATED", retryable: false } }]);
  expect(await gateway.calls()).toEqual([]);
}

describe("A token", () => {
  it.each([
    "ES256",
    "ES512",
    "EdDSA",
    "PS256",
    "RS256",
  ])("by a key of the issuer is taken: %s", async (algorithm) => {
    const other = await makeKey(`key-${algorithm}`, algorithm);
    await issuer.publish(key, other);
    expect((await ask(await sign(other))).data).toEqual({ sipEndpoint: { username: "alice" } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["has expired", { exp: now() - 60 }],
    ["never expires", { exp: undefined }],
    ["is not valid yet", { nbf: now() + 600 }],
    ["is for another audience", { aud: "another-graph" }],
    ["is for no audience", { aud: undefined }],
    ["comes from another issuer", { iss: "https://another.example.com/" }],
    ["comes from no issuer", { iss: undefined }],
  ])("is refused when it %s", async (_, claims) => {
    await expectRefused(await sign(key, claims));
  });

  it("is taken for a few seconds after it has expired, since clocks differ", async () => {
    expect((await ask(await sign(key, { exp: now() - 1 }))).status).toBe(200);
  });

  it.each<[string, () => string | Promise<string>]>([
    ["alg none", () => new UnsecuredJWT(goodClaims).encode()],
    ["HS256 by the public key", () => signByPublicKey(key)],
    ["a key id that the issuer does not know", () => sign(stranger)],
    ["another key under a known id", () => sign(stranger, {}, key.id)],
    ["other claims than were signed", async () => (await sign(key)).replace(/\.[^.]+\./, `.${claims()}.`)],
    ["no signature", async () => (await sign(key)).replace(/[^.]+$/, "")],
    ["no dots", () => "made-up"],
    ["nothing between the dots", () => ".."],
    ["five parts", () => "a.b.c.d.e"],
    ["a header that is no JSON", () => `${base64url.encode("{")}.e30.AA`],
    [
      "a critical header that nobody knows",
      () => `${header({ alg: "ES256", crit: ["b64"], b64: false })}.e30.AA`,
    ],
  ])("is refused with %s", async (_, make) => {
    await expectRefused(await make());
  });

  it("tells its bearer's name and scopes", async () => {
    const { data, errors } = await gateway.ask(
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

  it("is in no answer and no line of the log, neither taken nor refused", async () => {
    const tokens = [await sign(key), await sign(key, { exp: 1 }), await sign(stranger)];
    const answers = await Promise.all(tokens.map(ask));
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
    const shown = gateway.log.join("") + JSON.stringify(answers);
    const parts = tokens.flatMap((token) => token.split("."));
    expect(parts.filter((part) => shown.includes(part))).toEqual([]);
    expect(shown).toContain('"reason":"ERR_JWT_EXPIRED"');
  });

  it.each([
    undefined,
    "",
    "openid",
    "sip:write",
    "sip:reader",
  ])("allows nothing to read with scope %j", async (scope) => {
    const { status, errors } = await ask(await sign(key, { scope }));
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ path: ["sipEndpoint"], extensions: { code: "FORBIDDEN" } }]);
    expect(await gateway.calls()).toEqual([]);
  });
});

describe("The issuer's keys", () => {
  it("are fetched once for many tokens", async () => {
    await ask(await sign(key));
    const before = issuer.fetches();
    const token = await sign(key);
    await Promise.all(Array.from({ length: 20 }, () => ask(token)));
    expect(issuer.fetches()).toBe(before);
  });

  it("may change during the run: a new one holds at once, and an old one no longer", async () => {
    const [old, fresh] = [await sign(key), await makeKey("key-2")];
    expect((await ask(old)).status).toBe(200);
    await issuer.publish(fresh);
    expect((await ask(await sign(fresh))).status).toBe(200);
    await expectRefusedAfterReset(old);
  });

  it("are not fetched for each key id that strangers invent", async () => {
    const before = issuer.fetches();
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, n) => sign(stranger, {}, `invented-${n}`)),
    );
    const answers = await Promise.all(tokens.map(ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(issuer.fetches() - before).toBeLessThanOrEqual(2);
  });

  it.each<[string, Parameters<Issuer["answer"]>[0]]>([
    ["fails", (response) => response.writeHead(500).end()],
    ["answers with a page", (response) => response.end("<h1>Later</h1>")],
    ["answers with something else", (response) => response.end('{"keys":5}')],
    ["cuts the connection", (response) => response.destroy()],
  ])("are missed, and not the token blamed, while the issuer %s", async (_, behaviour) => {
    const fresh = await makeKey(`key-${Math.random()}`);
    await issuer.publish(key, fresh);
    issuer.answer(behaviour);
    const { status, errors } = await ask(await sign(fresh));
    expect(status).toBe(503);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
    expect(await gateway.calls()).toEqual([]);
    issuer.answer(undefined);
    expect((await ask(await sign(fresh))).status).toBe(200);
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
