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

describe("While the issuer's keys do not come", () => {
  it.each<[string, Parameters<Issuer["respond"]>[0]]>([
    ["the issuer says nothing", () => {}],
    [
      "the issuer sends elsewhere",
      (response) => {
        if (response.req.url === "/other") response.end('{"keys":[]}');
        else response.writeHead(302, { location: "/other" }).end();
      },
    ],
    ["the answer breaks off", (response) => response.write('{"keys":[', () => response.destroy())],
  ])("a login fails for now, without a call upstream: %s", async (_, responder) => {
    issuer.respond(responder);
    const { status, headers, errors } = await execute(await sign(key));
    expect([status, headers.get("www-authenticate")]).toEqual([503, null]);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    issuer.respond(undefined);
    expect((await execute(await sign(key))).status).toBe(200);
  });

  it("those whose keys are known are let in", async () => {
    expect((await execute(await sign(key))).status).toBe(200);
    issuer.respond((response) => response.writeHead(500).end());
    expect((await execute(await sign(key))).status).toBe(200);
  });

  it("no address is closed for it", async () => {
    issuer.respond((response) => response.writeHead(500).end());
    const responses = await Promise.all(Array.from({ length: 31 }, async () => execute(await sign(key))));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
    issuer.respond(undefined);
    expect((await execute(await sign(key))).status).toBe(200);
  });
});

describe("An issuer that is away for long", () => {
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
    ["fails", (response) => response.writeHead(503).end()],
    ["cuts the connection", (response) => response.destroy()],
    ["sends something else", (response) => response.end('{"keys":5}')],
  ])("leaves its known keys usable for an hour: it %s", async (_, responder) => {
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

  it("is logged once a minute at most, as a warning", async () => {
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

  it("does not make a known key wait while it says nothing", async () => {
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

  it("and comes back without a key ends the validity of that key", async () => {
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

  it("that is there has its keys fetched again after ten minutes, and a removed one is refused at once", async () => {
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

describe("A refused token", () => {
  it("is answered as no token is, whatever was wrong with it", async () => {
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
