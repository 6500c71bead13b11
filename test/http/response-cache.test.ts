import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { makeKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const withPassword = '{ sipEndpoint(username: "user0001") { sipUri password } }';
const newPassword =
  'mutation { updateSipEndpoint(input: { username: "user0002", password: "made-up-9" }) { userErrors { code } } }';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: {
      CACHE_TTL_MS: "60000",
      ...apiKeys({
        reader: "sip:read",
        other: "sip:read",
        keeper: "sip:read+sip:password",
        writer: "sip:read+sip:write",
      }),
      PUBLIC_URL: "https://calls.example.com",
      ANSWER_URL_SECRET: "made-up-and-longer-than-32-characters",
    },
  });
});
afterAll(() => gateway.close());
beforeEach(async () => {
  await gateway.reset({ count: 25 });
  for (const username of ["user0001", "user0002"])
    await execute(newPassword.replace("user0002", username), "writer");
});

const execute = (query: string, who = "reader", headers = {}) =>
  gateway.execute<Record<string, unknown>>(query, {}, { ...bearer(who), ...headers });

/** Returns for each operation that `act` sends whether the log reports its response as cached. */
async function fromCache(act: () => Promise<unknown>): Promise<boolean[]> {
  const before = gateway.log.length;
  await act();
  const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
  return lines.filter(({ msg }) => msg === "request completed").map((line) => line.cachedResponse === true);
}

/** Sends a query three times. The first reads from PIOPIY, the second from the read cache, and the third gets a cached response. */
const thrice = (query: string, who?: string) =>
  fromCache(async () => {
    for (let time = 0; time < 3; time++) await execute(query, who);
  });

describe("A cached response", () => {
  it("is returned to the same request", async () => {
    expect(await thrice(one)).toEqual([false, false, true]);
    const [first, again] = [await execute(one), await execute(one)];
    expect(again.data).toEqual({
      sipEndpoint: { username: "user0001", sipUri: "sip:user0001@sbc.emulator.example" },
    });
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  });

  it("is returned to another client with the same scopes only", async () => {
    await execute(one, "writer");
    expect(await fromCache(() => execute(one, "reader"))).toEqual([false]);
    expect(await fromCache(() => execute(one, "other"))).toEqual([true]);
    expect(await fromCache(() => execute(one, "keeper"))).toEqual([false]);
  });

  it("is returned to the same person only", async () => {
    const issuer = await startIssuer();
    const key = await makeKey("key-1");
    await issuer.publish(key);
    const people = await startGateway({
      gateway: { ...issuer.settings, JWT_USERNAME_CLAIM: "sip_username", CACHE_TTL_MS: "60000" },
    });
    const isCached = async (sip_username?: string) => {
      await people.execute(one, {}, bearer(await sign(key, { sub: "the same subject", sip_username })));
      return people.log.at(-1)?.includes('"cachedResponse":true');
    };
    try {
      const found = [];
      for (const name of ["alice", "alice", "alice", "bob", "bob", undefined, undefined, "Alice", "alice"])
        found.push(await isCached(name));
      expect(found).toEqual([false, false, true, false, true, false, true, false, true]);
    } finally {
      await people.close();
      await issuer.close();
    }
  });

  it("costs the same as the first one", async () => {
    const left = async () => Number((await execute(one)).headers.get("ratelimit-remaining"));
    const all = [await left(), await left(), await left()];
    expect(all.map((number) => number - Number(all[0]))).toEqual([0, -8, -16]);
  });

  it("has the media type that the client accepts", async () => {
    const accept = "application/graphql-response+json";
    const types = [
      await execute(one),
      await execute(one, "reader", { accept }),
      await execute(one),
      await execute(one, "reader", { accept }),
    ];
    expect(types.map(({ headers }) => headers.get("content-type")?.split(";")[0])).toEqual([
      "application/json",
      accept,
      "application/json",
      accept,
    ]);
  });
});

describe("A response is not taken from the cache", () => {
  it.each([
    ["has a password", withPassword, "keeper"],
    ["has an error", withPassword, "reader"],
    ["is that of a mutation", newPassword, "writer"],
    [
      "has an answer URL",
      `{ connectAction(input: { call: [{ user: "user0001" }] }, verify: true) { answerUrl } ${one.slice(1)}`,
      "reader",
    ],
    ["has no data of PIOPIY", "{ __schema { queryType { name } } }", "reader"],
  ])("when it %s", async (_, query, who) => {
    expect(await thrice(query, who)).toEqual([false, false, false]);
  });

  it("after any change", async () => {
    expect(await thrice(one)).toEqual([false, false, true]);
    await execute('mutation { removeSipEndpoint(input: { username: "user0001" }) { username } }', "writer");
    expect((await execute(one)).data).toEqual({ sipEndpoint: null });
  });

  it("for a client without a credential, which gets 401", async () => {
    await execute(one);
    const { status, data } = await gateway.execute(one);
    expect({ status, data }).toEqual({ status: 401, data: undefined });
  });

  it("for other variables, and for another operation of the same document", async () => {
    const query =
      'query A($username: ID!) { sipEndpoint(username: $username) { username } } query B { sipEndpoint(username: "user0003") { username } }';
    const send = async (body: object) => {
      const response = await fetch(`${gateway.origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearer("reader") },
        body: JSON.stringify({ query, ...body }),
      });
      return (await response.json()).data.sipEndpoint.username;
    };
    const requests = ["user0001", "user0002", "user0001"].map((username) => ({
      operationName: "A",
      variables: { username },
    }));
    const names: string[] = [];
    for (const request of [...requests, { operationName: "B" }]) names.push(await send(request));
    expect(names).toEqual(["user0001", "user0002", "user0001", "user0003"]);
  });
});

describe("A client that has used up its rate limit", () => {
  it("gets no cached response", async () => {
    const poor = await startGateway({ gateway: { CACHE_TTL_MS: "60000", RATE_LIMIT_PER_MINUTE: "20" } });
    try {
      const responses = [await poor.execute(one), await poor.execute(one), await poor.execute(one)];
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(responses[2]).toMatchObject({ errors: [{ extensions: { code: "RATE_LIMITED" } }] });
      expect(responses[2]?.headers.get("retry-after")).toBeTruthy();
    } finally {
      await poor.close();
    }
  });
});
