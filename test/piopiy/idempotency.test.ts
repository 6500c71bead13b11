import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const scopes = "sip:read+sip:write+sip:password";
const callers = apiKeys({ first: scopes, second: scopes });
const made = /^[A-HJ-NP-Za-kmnp-z2-9]{22}$/;
const KEY = "0e7c8a7e-3c1f-4c7e";
const OTHER_KEY = "0e7c8a7e-3c1f-4c7f";

const create = `mutation ($input: CreateSipEndpointInput!) {
  it: createSipEndpoint(input: $input) { sipEndpoint { username } password userErrors { code path } }
}`;

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}, emulator: Record<string, string> = {}) {
  gateway = await startGateway({ gateway: { ...callers, ...settings }, emulator });
  await gateway.reset({ count: 0 });
}

interface Input {
  readonly username?: string;
  readonly password?: string | null;
  readonly idempotencyKey?: unknown;
}

async function ask(input: Input, key = "first") {
  const answer = await gateway.ask<{ it: Created }>(
    create,
    { input: { username: "erin", idempotencyKey: KEY, ...input } },
    bearer(key),
  );
  return { ...answer, created: answer.data?.it };
}

interface Created {
  readonly sipEndpoint: { readonly username: string } | null;
  readonly password: string | null;
  readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] }[];
}

/** The made password of a new endpoint. */
async function passwordOf(input: Input, key?: string): Promise<string> {
  const { created } = await ask(input, key);
  expect(created.userErrors).toEqual([]);
  expect(created.password).toMatch(made);
  return String(created.password);
}

const operations = async () => (await gateway.calls()).map(({ operation }) => operation);
const taken = {
  sipEndpoint: null,
  password: null,
  userErrors: [{ code: "USERNAME_TAKEN", path: ["username"] }],
};

describe("createSipEndpoint with an idempotency key", () => {
  it.each([
    {},
    { password: null },
    { password: "made-up 1" },
  ])("answers a repetition with the endpoint that the first attempt made: %j", async (input) => {
    await start();
    const first = await ask(input);
    expect(first.created).toEqual({
      sipEndpoint: { username: "erin" },
      password: input.password ?? expect.stringMatching(made),
      userErrors: [],
    });
    expect(await operations()).toEqual(["add_sip"]);
    for (const _ of [1, 2]) expect((await ask(input)).created).toEqual(first.created);
    expect(await operations()).toEqual(["add_sip", "add_sip", "get_sip", "add_sip", "get_sip"]);
  });

  it.each([
    {},
    { password: "made-up 1" },
  ])("answers a repetition after OUTCOME_UNKNOWN whose write took: %j", async (input) => {
    await start({ PIOPIY_DEADLINE_MS: "300" });
    await gateway.fail({ operation: "add_sip", kind: "lose-reply" });
    await gateway.fail({ operation: "get_sip", kind: "hang" });
    const { errors } = await ask(input);
    expect(errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN", retryable: true } }]);
    const again = await ask(input);
    expect(again.errors).toBeUndefined();
    expect(again.created).toMatchObject({ sipEndpoint: { username: "erin" }, userErrors: [] });
    const { data } = await gateway.ask('{ sipEndpoint(username: "erin") { password } }', {}, bearer("first"));
    expect(data).toEqual({ sipEndpoint: { password: again.created.password } });
    expect(await operations()).toEqual(["add_sip", "get_sip", "add_sip", "get_sip", "get_sip"]);
  });

  it("makes the endpoint when the unknown write did not take", async () => {
    await start({ PIOPIY_DEADLINE_MS: "300" });
    await gateway.fail({ operation: "add_sip", kind: "hang" });
    expect((await ask({})).errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN" } }]);
    await passwordOf({});
  });

  it("tells a failure to look instead of a guess", async () => {
    await start();
    await passwordOf({});
    await gateway.fail({ operation: "get_sip", kind: "status", status: 420 });
    expect((await ask({})).errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAUTHENTICATED" } }]);
  });
});

describe("A name is taken", () => {
  it.each<[string, Input, string]>([
    ["for another key", { idempotencyKey: OTHER_KEY }, "first"],
    ["for another caller with the same key", {}, "second"],
    ["for the same key with a password of its own", { password: "made-up-2" }, "first"],
    ["without a key", { idempotencyKey: null }, "first"],
  ])("%s", async (_, input, key) => {
    await start();
    await passwordOf({});
    expect((await ask(input, key)).created).toEqual(taken);
  });

  it("once its password has been changed, or it was removed and made by somebody else", async () => {
    await start();
    await passwordOf({});
    const erin = 'input: { username: "erin" }';
    await gateway.ask(`mutation { updateSipEndpoint(${erin}) { password } }`, {}, bearer("first"));
    expect((await ask({})).created).toEqual(taken);
    await gateway.ask(`mutation { removeSipEndpoint(${erin}) { username } }`, {}, bearer("first"));
    await passwordOf({}, "second");
    expect((await ask({})).created).toEqual(taken);
  });

  it("without a key, after one PIOPIY call and no look", async () => {
    await start();
    await ask({ idempotencyKey: undefined });
    expect((await ask({ idempotencyKey: undefined })).created).toEqual(taken);
    expect(await operations()).toEqual(["add_sip", "add_sip"]);
  });
});
