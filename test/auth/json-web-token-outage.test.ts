import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { bearer } from "../support/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/json-web-tokens.js";

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
