import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

const secrets = ["first-made-up-secret-of-an-answer-url", "other-made-up-secret-of-an-answer-url"];
const settings = { PUBLIC_URL: "https://gateway.example.com/", ANSWER_URL_SECRET: secrets[0] ?? "" };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: settings });
});
afterAll(() => gateway.close());

const query = `query ($input: ConnectActionInput!, $expiresIn: Int) {
  connectAction(input: $input) { pcmo answerUrl(expiresIn: $expiresIn) userErrors { code path } }
}`;

interface Connected {
  connectAction: { pcmo: unknown; answerUrl: string | null; userErrors: unknown[] };
}

const connect = (input: object, expiresIn?: number, at = gateway) =>
  at.execute<Connected>(query, { input, expiresIn });

const inputs: Record<string, unknown>[] = [
  { call: [{ user: "alice" }] },
  {
    call: [{ user: "alice" }, { user: "bob" }],
    ringType: "GROUP",
    timeout: 20,
    duration: 600,
    from: "+914471000000",
  },
  { call: [{ user: "front desk" }, { user: " " }, { user: "a\u3000b " }], ringType: "GROUP" },
  { call: [{ user: "ünï.çode" }], callType: "VIDEO", loop: 3, from: 914471000000 },
];

/** Returns the token of the answer URL for an input. */
async function tokenOf(input: object, expiresIn?: number): Promise<string> {
  const { data } = await connect(input, expiresIn);
  expect(data.connectAction.answerUrl).toMatch(/^https:\/\/gateway\.example\.com\/answer\/[\w.-]+$/);
  return String(data.connectAction.answerUrl).split("/").at(-1) ?? "";
}

const post = (token: string, init: RequestInit = {}, at = gateway) =>
  fetch(`${at.origin}/answer/${token}`, { method: "POST", ...init });

describe("An answer URL", () => {
  it.each(inputs)("returns exactly the document to the webhook: %j", async (input) => {
    const { data } = await connect(input);
    const response = await post(await tokenOf(input));
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "application/json; charset=utf-8",
    ]);
    expect(await response.json()).toEqual(data.connectAction.pcmo);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("does not expire, or expires after `expiresIn`, but never during a call that it has answered", async () => {
    expect((await post(await tokenOf({ call: [{ user: "alice" }] }, 3600))).status).toBe(200);
    const short = await tokenOf({ call: [{ user: "alice" }] }, 2);
    const inCall = (cmiuuid: string) => post(short, { body: JSON.stringify({ cmiuuid }) });
    expect((await inCall("call-1")).status).toBe(200);
    await until(async () => (await post(short)).status === 404);
    expect([(await inCall("call-1")).status, (await inCall("call-2")).status]).toEqual([200, 404]);
  });

  it.each([0, -1, 315_360_001])("may not expire in %i seconds", async (expiresIn) => {
    const { data, errors } = await connect({ call: [{ user: "alice" }] }, expiresIn);
    expect(errors).toMatchObject([
      {
        path: ["connectAction", "answerUrl"],
        extensions: { code: "BAD_USER_INPUT", argumentName: "expiresIn" },
      },
    ]);
    expect(data.connectAction.pcmo).not.toBeNull();
  });

  it("is null for an invalid input, and for a document that is too long, which is a user error only when it is selected", async () => {
    const wrong = await connect({ call: [] });
    expect(wrong.data.connectAction).toMatchObject({ answerUrl: null, userErrors: [{ code: "NO_TARGETS" }] });
    const call = Array.from({ length: 100 }, (_, n) => ({
      user: `a-rather-long-username-of-a-sip-endpoint-${n}`,
    }));
    const long = await connect({ call });
    expect(long.data.connectAction).toMatchObject({
      pcmo: [{ action: "connect" }],
      answerUrl: null,
      userErrors: [{ code: "ANSWER_URL_TOO_LONG", path: ["call"] }],
    });
    const unasked = await gateway.execute<Connected>(
      query.replace("answerUrl(expiresIn: $expiresIn)", "").replace(", $expiresIn: Int", ""),
      {
        input: { call },
      },
    );
    expect(unasked.data.connectAction.userErrors).toEqual([]);
  });

  it("may be 4,000 characters long", async () => {
    const call = Array.from({ length: 95 }, (_, n) => ({ user: `${n}`.padEnd(26, "x") }));
    const token = await tokenOf({ call });
    expect(token.length).toBeGreaterThan(3500);
    expect((await post(token)).status).toBe(200);
  });

  it("is NOT_CONFIGURED without an address and a secret, and the other fields are returned", async () => {
    const bare = await startGateway();
    const { data, errors } = await connect({ call: [{ user: "alice" }] }, undefined, bare);
    const status = (await post("a.b", {}, bare)).status;
    await bare.close();
    expect(errors).toMatchObject([
      { path: ["connectAction", "answerUrl"], extensions: { code: "NOT_CONFIGURED", retryable: false } },
    ]);
    expect([data.connectAction.answerUrl, status]).toEqual([null, 404]);
    expect(data.connectAction.pcmo).not.toBeNull();
  });

  it("is valid during the rotation of its secret, and invalid after it", async () => {
    const token = await tokenOf({ call: [{ user: "alice" }] });
    const statuses: number[] = [];
    for (const ANSWER_URL_SECRET of [`${secrets[1]}, ${secrets[0]}`, String(secrets[1])]) {
      const changed = await startGateway({ gateway: { ...settings, ANSWER_URL_SECRET } });
      statuses.push((await post(token, {}, changed)).status);
      await changed.close();
    }
    expect(statuses).toEqual([200, 404]);
  });
});

describe("The settings of answer URLs", () => {
  const mistakes = (variables: Record<string, string>) => {
    try {
      readConfig({ AUTH: "none", PIOPIY_URL: "emulator", ...variables });
    } catch (error) {
      if (error instanceof ConfigError) return error.mistakes;
      throw error;
    }
    return [];
  };

  const account = {
    PIOPIY_URL: "https://piopiy.example.com/",
    PIOPIY_APP_ID: "1",
    PIOPIY_SECRET: "canary-of-the-account",
  };

  it.each<[Record<string, string>, RegExp]>([
    [{ PUBLIC_URL: "https://a.example.com" }, /^ANSWER_URL_SECRET must be one secret of 32 characters/],
    [{ ...settings, ANSWER_URL_SECRET: "canary-short" }, /^ANSWER_URL_SECRET must be/],
    [{ ...settings, ANSWER_URL_SECRET: `${secrets},${secrets[0]}` }, /^ANSWER_URL_SECRET must be/],
    [{ ...account, ANSWER_URL_SECRET: String(secrets[0]) }, /^PUBLIC_URL must be set/],
    [{ ...settings, PUBLIC_URL: "http://a.example.com" }, /^PUBLIC_URL must start with https/],
    [{ ...settings, PUBLIC_URL: "https://a.example.com/?a" }, /^PUBLIC_URL must not contain a query/],
  ])("are rejected with %j, and the message shows no secret", (variables, message) => {
    const found = mistakes(variables);
    expect(found).toEqual([expect.stringMatching(message)]);
    expect(found.join()).not.toMatch(/canary|made-up/);
  });

  it("need no PUBLIC_URL with the embedded emulator", () => {
    expect(mistakes({ ANSWER_URL_SECRET: String(secrets[0]) })).toEqual([]);
  });

  it("may name a loopback address or a path", () => {
    expect(mistakes({ ...settings, PUBLIC_URL: "http://127.0.0.1:4000" })).toEqual([]);
    expect(mistakes({ ...settings, PUBLIC_URL: "https://a.example.com/piopiy" })).toEqual([]);
  });

  it("may name a plain http address with PIOPIY_ALLOW_HTTP=true", () => {
    const plain = { ...settings, PUBLIC_URL: "http://gateway:4000" };
    expect(mistakes(plain)).toEqual([expect.stringMatching(/^PUBLIC_URL must start with https/)]);
    expect(mistakes({ ...plain, PIOPIY_ALLOW_HTTP: "true" })).toEqual([]);
  });
});
