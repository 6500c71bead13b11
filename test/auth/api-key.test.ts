import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer, sha256 } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const read = '{ sipEndpoint(username: "alice") { username } }';
const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';
const found = { sipEndpoint: { username: "alice" } };
const key = "made-up-key-1";

let gateway: TestGateway;
beforeAll(async () => {
  const { AUTH, API_KEYS } = apiKeys({ [key]: "sip:read+sip:write" });
  const rotated = `mobile:${sha256("old-key")}:sip:read,mobile:${sha256("new-key").toUpperCase()}:sip:read,`;
  gateway = await startGateway({ gateway: { AUTH: String(AUTH), API_KEYS: `${API_KEYS}, ${rotated}` } });
});
beforeEach(async () => {
  await gateway.ask("{ __typename }", {}, bearer(key));
  await gateway.reset();
});
afterAll(() => gateway.close());

describe("An API key", () => {
  it("lets its bearer in, however the scheme is spelled", async () => {
    expect((await gateway.ask(read, {}, bearer(key))).data).toEqual(found);
    expect((await gateway.ask(read, {}, { authorization: `bearer   ${key}` })).data).toEqual(found);
  });

  it("may be one of two under one name, so that it can be changed without a gap", async () => {
    expect((await gateway.ask(read, {}, bearer("old-key"))).data).toEqual(found);
    expect((await gateway.ask(read, {}, bearer("new-key"))).data).toEqual(found);
  });

  const wrong: [string, Record<string, string>][] = [
    ["none", {}],
    ["another key", bearer("made-up-key-2")],
    ["a key with one letter more", bearer(`${key}x`)],
    ["the hash in place of the key", bearer(sha256(key))],
    ["an empty key", { authorization: "Bearer " }],
    ["no scheme", { authorization: key }],
    ["another scheme", { authorization: `Basic ${Buffer.from(`a:${key}`).toString("base64")}` }],
    ["another header", { "x-api-key": key }],
  ];

  it.each(wrong)("lets nobody in with %s: nothing runs", async (_, headers) => {
    const { status, data, errors } = await gateway.ask(remove, {}, headers);
    expect([status, data]).toEqual([401, undefined]);
    expect(errors).toMatchObject([{ extensions: { code: "UNAUTHENTICATED", retryable: false } }]);
    expect(await gateway.calls()).toEqual([]);
  });

  it("that is wrong is answered as none is: the same status, headers and words", async () => {
    const answers = await Promise.all(wrong.map(([, headers]) => gateway.ask(read, {}, headers)));
    const shown = answers.map(({ status, headers, errors }) => {
      const { "x-request-id": id, date: _, ...rest } = Object.fromEntries(headers);
      return JSON.stringify([status, rest, errors]).replaceAll(String(id), "ID");
    });
    expect(new Set(shown).size).toBe(1);
    expect(shown[0]).toContain('"www-authenticate":"Bearer"');
  });

  it("does not count in the address of a request", async () => {
    const response = await fetch(
      `${gateway.origin}/graphql?query={__typename}&authorization=Bearer%20${key}`,
      {
        headers: { "apollo-require-preflight": "1" },
      },
    );
    expect(response.status).toBe(401);
  });

  it.each(["/health/live", "/health/ready"])("is not needed for %s", async (path) => {
    expect((await fetch(gateway.origin + path)).status).toBe(200);
  });
});

describe("With AUTH=none", () => {
  it("any credential or none is the same", async () => {
    const open = await startGateway();
    const answers = [await open.ask(read), await open.ask(read, {}, bearer("made-up"))];
    await open.close();
    expect(answers.map(({ data }) => data)).toEqual([found, found]);
  });
});
