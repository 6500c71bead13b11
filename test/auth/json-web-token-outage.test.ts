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
const ask = async (token: string) => gateway.ask(read, {}, bearer(token));

describe("While the issuer's keys do not come", () => {
  it.each<[string, Parameters<Issuer["answer"]>[0]]>([
    ["the issuer says nothing", () => {}],
    [
      "the issuer sends elsewhere",
      (response) => {
        if (response.req.url === "/other") response.end('{"keys":[]}');
        else response.writeHead(302, { location: "/other" }).end();
      },
    ],
    ["the answer breaks off", (response) => response.write('{"keys":[', () => response.destroy())],
  ])("a login fails for now, without a call upstream: %s", async (_, behaviour) => {
    issuer.answer(behaviour);
    const { status, headers, errors } = await ask(await sign(key));
    expect([status, headers.get("www-authenticate")]).toEqual([503, null]);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true } }]);
    expect(await gateway.calls()).toEqual([]);
    issuer.answer(undefined);
    expect((await ask(await sign(key))).status).toBe(200);
  });

  it("those whose keys are known are let in", async () => {
    expect((await ask(await sign(key))).status).toBe(200);
    issuer.answer((response) => response.writeHead(500).end());
    expect((await ask(await sign(key))).status).toBe(200);
  });

  it("no address is closed for it", async () => {
    issuer.answer((response) => response.writeHead(500).end());
    const answers = await Promise.all(Array.from({ length: 31 }, async () => ask(await sign(key))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    issuer.answer(undefined);
    expect((await ask(await sign(key))).status).toBe(200);
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

  it.each<[string, Parameters<Issuer["answer"]>[0]]>([
    ["fails", (response) => response.writeHead(503).end()],
    ["cuts the connection", (response) => response.destroy()],
    ["sends something else", (response) => response.end('{"keys":5}')],
  ])("leaves its known keys usable for an hour: it %s", async (_, behaviour) => {
    const token = await sign(key);
    expect((await ask(token)).status).toBe(200);
    issuer.answer(behaviour);
    for (const minutes of [11, 48]) {
      pass(minutes);
      const answers = await Promise.all([ask(token), ask(token), ask(token)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    pass(2);
    expect((await ask(token)).status).toBe(503);
    issuer.answer(undefined);
    expect((await ask(token)).status).toBe(200);
  });

  it("is logged once a minute at most, as a warning", async () => {
    const token = await sign(key);
    await ask(token);
    issuer.answer((response) => response.writeHead(503).end());
    pass(11);
    for (let request = 0; request < 5; request++) await Promise.all([ask(token), ask(token)]);
    expect(warnings()).toHaveLength(1);
    expect(JSON.parse(warnings()[0] ?? "")).toMatchObject({ level: 40 });
    const before = issuer.fetches();
    pass(2);
    await Promise.all([ask(token), ask(token)]);
    await until(() => warnings().length === 2);
    expect(issuer.fetches()).toBe(before + 1);
  });

  it("does not make a known key wait while it says nothing", async () => {
    const token = await sign(key);
    await ask(token);
    issuer.answer((response) => response.writeHead(503).end());
    pass(11);
    await ask(token);
    const before = issuer.fetches();
    let open: ServerResponse | undefined;
    issuer.answer((response) => {
      open = response;
    });
    pass(2);
    expect((await ask(token)).status).toBe(200);
    await until(() => issuer.fetches() > before);
    await issuer.publish();
    issuer.answer(undefined);
    open?.end('{"keys":[]}');
    await until(async () => (await ask(token)).status === 401);
  });

  it("and comes back without a key ends the validity of that key", async () => {
    const token = await sign(key);
    await ask(token);
    issuer.answer((response) => response.writeHead(503).end());
    pass(11);
    expect((await ask(token)).status).toBe(200);
    issuer.answer(undefined);
    await issuer.publish(await makeKey("key-2"));
    pass(2);
    await until(async () => (await ask(token)).status === 401);
  });

  it("that is there has its keys fetched again after ten minutes, and a removed one is refused at once", async () => {
    const token = await sign(key);
    await ask(token);
    await issuer.publish(await makeKey("key-2"));
    expect((await ask(token)).status).toBe(200);
    pass(11);
    const answers = await Promise.all([ask(token), ask(token)]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
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
    const answers = [await gateway.ask(read), ...(await Promise.all(tokens.map(ask)))];
    const shown = answers.map(({ status, headers, errors }) => {
      const { "x-request-id": id, date: _, ...rest } = Object.fromEntries(headers);
      return JSON.stringify([status, rest, errors]).replaceAll(String(id), "ID");
    });
    expect(new Set(shown).size).toBe(1);
    expect(shown[0]).toContain('"code":"UNAUTHENTICATED"');
  });
});
