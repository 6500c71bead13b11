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
  await gateway.execute("{ __typename }", {}, bearer(key));
  await gateway.reset();
});
afterAll(() => gateway.close());

describe("An API key", () => {
  it("is accepted, with the scheme in capital or small letters", async () => {
    expect((await gateway.execute(read, {}, bearer(key))).data).toEqual(found);
    expect((await gateway.execute(read, {}, { authorization: `bearer   ${key}` })).data).toEqual(found);
  });

  it("may have the same name as another key, for a rotation without downtime", async () => {
    expect((await gateway.execute(read, {}, bearer("old-key"))).data).toEqual(found);
    expect((await gateway.execute(read, {}, bearer("new-key"))).data).toEqual(found);
  });

  const wrong: [string, Record<string, string>][] = [
    ["no key", {}],
    ["another key", bearer("made-up-key-2")],
    ["a key with one letter more", bearer(`${key}x`)],
    ["the hash in place of the key", bearer(sha256(key))],
    ["an empty key", { authorization: "Bearer " }],
    ["no scheme", { authorization: key }],
    ["another scheme", { authorization: `Basic ${Buffer.from(`a:${key}`).toString("base64")}` }],
    ["another header", { "x-api-key": key }],
  ];

  it.each(wrong)("is required: a request with %s gets 401 and executes nothing", async (_, headers) => {
    const { status, data, errors } = await gateway.execute(remove, {}, headers);
    expect([status, data]).toEqual([401, undefined]);
    expect(errors).toMatchObject([{ extensions: { code: "UNAUTHENTICATED", retryable: false } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("that is invalid gets the same response as a missing one", async () => {
    const responses = await Promise.all(wrong.map(([, headers]) => gateway.execute(read, {}, headers)));
    const shown = responses.map(({ status, headers, errors }) => {
      const { "x-request-id": id, date: _, ...rest } = Object.fromEntries(headers);
      return JSON.stringify([status, rest, errors]).replaceAll(String(id), "ID");
    });
    expect(new Set(shown).size).toBe(1);
    expect(shown[0]).toContain('"www-authenticate":"Bearer"');
  });

  it("is not accepted in the URL", async () => {
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
  it("any credential is accepted, and none is needed", async () => {
    const open = await startGateway();
    const responses = [await open.execute(read), await open.execute(read, {}, bearer("made-up"))];
    await open.close();
    expect(responses.map(({ data }) => data)).toEqual([found, found]);
  });
});
