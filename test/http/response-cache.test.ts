import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const one = '{ sipEndpoint(username: "user0001") { username sipUri } }';
const withPassword = '{ sipEndpoint(username: "user0001") { sipUri password } }';
const newPassword = 'mutation { updateSipEndpoint(input: { username: "user0002" }) { userErrors { code } } }';

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
    await ask(newPassword.replace("user0002", username), "writer");
});

const ask = (query: string, who = "reader", headers = {}) =>
  gateway.ask<Record<string, unknown>>(query, {}, { ...bearer(who), ...headers });

/** What the log says of operations since `act` began: whether each was answered again, without being run. */
async function repeated(act: () => Promise<unknown>): Promise<boolean[]> {
  const before = gateway.log.length;
  await act();
  const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
  return lines.filter(({ msg }) => msg === "answered").map((line) => line.repeated === true);
}

/** The first time PIOPIY is asked, the second time the cache: from then on the answer is given again. */
const thrice = (query: string, who?: string) =>
  repeated(async () => {
    for (let time = 0; time < 3; time++) await ask(query, who);
  });

describe("An answer is given again", () => {
  it("to the same request", async () => {
    expect(await thrice(one)).toEqual([false, false, true]);
    const [first, again] = [await ask(one), await ask(one)];
    expect(again.data).toEqual({
      sipEndpoint: { username: "user0001", sipUri: "sip:user0001@sbc.emulator.example" },
    });
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  });

  it("to another caller who may see the same", async () => {
    await ask(one, "writer");
    expect(await repeated(() => ask(one, "reader"))).toEqual([false]);
    expect(await repeated(() => ask(one, "other"))).toEqual([true]);
    expect(await repeated(() => ask(one, "keeper"))).toEqual([false]);
  });

  it("at the same cost, and not to a caller whose budget is spent", async () => {
    const left = async () => Number((await ask(one)).headers.get("ratelimit-remaining"));
    const all = [await left(), await left(), await left()];
    expect(all.map((number) => number - Number(all[0]))).toEqual([0, -8, -16]);
  });

  it("in the form that the client takes", async () => {
    const accept = "application/graphql-response+json";
    const types = [
      await ask(one),
      await ask(one, "reader", { accept }),
      await ask(one),
      await ask(one, "reader", { accept }),
    ];
    expect(types.map(({ headers }) => headers.get("content-type")?.split(";")[0])).toEqual([
      "application/json",
      accept,
      "application/json",
      accept,
    ]);
  });
});

describe("An answer is made anew", () => {
  it.each([
    ["a password", withPassword, "keeper"],
    ["an error", withPassword, "reader"],
    ["a mutation", newPassword, "writer"],
    [
      "an answer URL",
      `{ connectAction(input: { call: [{ user: "user0001" }] }, verify: true) { answerUrl } ${one.slice(1)}`,
      "reader",
    ],
    ["no endpoint", "{ __schema { queryType { name } } }", "reader"],
  ])("when it holds %s", async (_, query, who) => {
    expect(await thrice(query, who)).toEqual([false, false, false]);
  });

  it("after any change", async () => {
    expect(await thrice(one)).toEqual([false, false, true]);
    await ask('mutation { removeSipEndpoint(input: { username: "user0001" }) { username } }', "writer");
    expect((await ask(one)).data).toEqual({ sipEndpoint: null });
  });

  it("for a caller without a credential: that is refused", async () => {
    await ask(one);
    const { status, data } = await gateway.ask(one);
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

describe("A budget that is spent", () => {
  it("refuses an answer that is only given again", async () => {
    const poor = await startGateway({ gateway: { CACHE_TTL_MS: "60000", RATE_LIMIT_PER_MINUTE: "20" } });
    try {
      const answers = [await poor.ask(one), await poor.ask(one), await poor.ask(one)];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(answers[2]).toMatchObject({ errors: [{ extensions: { code: "RATE_LIMITED" } }] });
      expect(answers[2]?.headers.get("retry-after")).toBeTruthy();
    } finally {
      await poor.close();
    }
  });
});
