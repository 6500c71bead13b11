import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

let issuer: Issuer;
let gateway: TestGateway;
let key: SigningKey;
beforeEach(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  await issuer.publish(key);
  gateway = await startGateway({ gateway: issuer.settings });
});
afterEach(async () => {
  await gateway.close();
  await issuer.close();
});

const read = '{ sipEndpoint(username: "alice") { username } }';
const execute = async (token: string) => gateway.execute(read, {}, bearer(token));

describe("While the issuer's keys cannot be fetched", () => {
  it.each<[string, Parameters<Issuer["respond"]>[0]]>([
    ["the issuer does not respond", () => {}],
    [
      "the issuer redirects",
      (response) => {
        if (response.req.url === "/other") response.end('{"keys":[]}');
        else response.writeHead(302, { location: "/other" }).end();
      },
    ],
    ["the response is incomplete", (response) => response.write('{"keys":[', () => response.destroy())],
  ])("a login gets 503, without an upstream request: %s", async (_, responder) => {
    issuer.respond(responder);
    const { status, headers, errors } = await execute(await sign(key));
    expect([status, headers.get("www-authenticate")]).toEqual([503, null]);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    issuer.respond(undefined);
    expect((await execute(await sign(key))).status).toBe(200);
  });

  it("tokens of cached keys are accepted", async () => {
    expect((await execute(await sign(key))).status).toBe(200);
    issuer.respond((response) => response.writeHead(500).end());
    expect((await execute(await sign(key))).status).toBe(200);
  });

  it("the failed logins of an address are not counted", async () => {
    issuer.respond((response) => response.writeHead(500).end());
    const responses = await Promise.all(Array.from({ length: 31 }, async () => execute(await sign(key))));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
    issuer.respond(undefined);
    expect((await execute(await sign(key))).status).toBe(200);
  });
});

describe("An issuer during a long outage", () => {
  const { now } = performance;
  let ahead = 0;
  beforeEach(() => {
    ahead = 0;
    performance.now = () => now.call(performance) + ahead;
  });
  afterEach(() => {
    performance.now = now;
  });
  const pass = (minutes: number) => {
    ahead += minutes * 60_000;
  };
  const warnings = () => gateway.log.filter((line) => line.includes("issuer's keys cannot be fetched"));

  it.each<[string, Parameters<Issuer["respond"]>[0]]>([
    ["returns 503", (response) => response.writeHead(503).end()],
    ["closes the connection", (response) => response.destroy()],
    ["returns invalid keys", (response) => response.end('{"keys":5}')],
  ])("has its cached keys used for an hour: it %s", async (_, responder) => {
    const token = await sign(key);
    expect((await execute(token)).status).toBe(200);
    issuer.respond(responder);
    for (const minutes of [11, 48]) {
      pass(minutes);
      const responses = await Promise.all([execute(token), execute(token), execute(token)]);
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    pass(2);
    expect((await execute(token)).status).toBe(503);
    issuer.respond(undefined);
    expect((await execute(token)).status).toBe(200);
  });

  it("is logged at most once a minute, as a warning", async () => {
    const token = await sign(key);
    await execute(token);
    issuer.respond((response) => response.writeHead(503).end());
    pass(11);
    for (let request = 0; request < 5; request++) await Promise.all([execute(token), execute(token)]);
    expect(warnings()).toHaveLength(1);
    expect(JSON.parse(warnings()[0] ?? "")).toMatchObject({ level: 40 });
    const before = issuer.fetches();
    pass(2);
    await Promise.all([execute(token), execute(token)]);
    await until(() => warnings().length === 2);
    expect(issuer.fetches()).toBe(before + 1);
  });

  it("does not delay tokens of cached keys while it does not respond", async () => {
    const token = await sign(key);
    await execute(token);
    issuer.respond((response) => response.writeHead(503).end());
    pass(11);
    await execute(token);
    const before = issuer.fetches();
    let open: ServerResponse | undefined;
    issuer.respond((response) => {
      open = response;
    });
    pass(2);
    expect((await execute(token)).status).toBe(200);
    await until(() => issuer.fetches() > before);
    await issuer.publish();
    issuer.respond(undefined);
    open?.end('{"keys":[]}');
    await until(async () => (await execute(token)).status === 401);
  });

  it("invalidates a removed key when it is available again", async () => {
    const token = await sign(key);
    await execute(token);
    issuer.respond((response) => response.writeHead(503).end());
    pass(11);
    expect((await execute(token)).status).toBe(200);
    issuer.respond(undefined);
    await issuer.publish(await makeKey("key-2"));
    pass(2);
    await until(async () => (await execute(token)).status === 401);
  });

  it("has its keys fetched again after ten minutes without an outage, which invalidates a removed key", async () => {
    const token = await sign(key);
    await execute(token);
    await issuer.publish(await makeKey("key-2"));
    expect((await execute(token)).status).toBe(200);
    pass(11);
    const responses = await Promise.all([execute(token), execute(token)]);
    expect(responses.map(({ status }) => status)).toEqual([401, 401]);
    expect(warnings()).toEqual([]);
  });
});

describe("A rejected token", () => {
  it("gets the same response as a missing one, for every reason", async () => {
    const stranger = await makeKey("key-1");
    const tokens = [
      "made-up",
      await sign(stranger),
      await sign(key, { exp: 1 }),
      await sign(key, { aud: "x" }),
    ];
    const responses = [await gateway.execute(read), ...(await Promise.all(tokens.map(execute)))];
    const shown = responses.map(({ status, headers, errors }) => {
      const { "x-request-id": id, date: _, ...rest } = Object.fromEntries(headers);
      return JSON.stringify([status, rest, errors]).replaceAll(String(id), "ID");
    });
    expect(new Set(shown).size).toBe(1);
    expect(shown[0]).toContain('"code":"UNAUTHENTICATED"');
  });
});
