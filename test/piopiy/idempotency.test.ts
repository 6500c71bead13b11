import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const scopes = "sip:read+sip:write+sip:password";
const clients = apiKeys({ first: scopes, second: scopes });
const made = /^[A-HJ-NP-Za-kmnp-z2-9]{22}$/;
const KEY = "0e7c8a7e-3c1f-4c7e";
const OTHER_KEY = "0e7c8a7e-3c1f-4c7f";

const create = `mutation ($input: CreateSipEndpointInput!) {
  it: createSipEndpoint(input: $input) { sipEndpoint { username } password userErrors { code path } }
}`;

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}, emulator: Record<string, string> = {}) {
  gateway = await startGateway({ gateway: { ...clients, ...settings }, emulator });
  await gateway.reset({ count: 0 });
}

interface Input {
  readonly username?: string;
  readonly password?: string | null;
  readonly idempotencyKey?: unknown;
}

async function execute(input: Input, key = "first") {
  const response = await gateway.execute<{ it: Created }>(
    create,
    { input: { username: "erin", idempotencyKey: KEY, ...input } },
    bearer(key),
  );
  return { ...response, created: response.data?.it };
}

interface Created {
  readonly sipEndpoint: { readonly username: string } | null;
  readonly password: string | null;
  readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] }[];
}

/** Returns the generated password of a new endpoint. */
async function passwordOf(input: Input, key?: string): Promise<string> {
  const { created } = await execute(input, key);
  expect(created.userErrors).toEqual([]);
  expect(created.password).toMatch(made);
  return String(created.password);
}

const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);
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
  ])("returns the endpoint that the first attempt created, when it is repeated: %j", async (input) => {
    await start();
    const first = await execute(input);
    expect(first.created).toEqual({
      sipEndpoint: { username: "erin" },
      password: input.password ?? expect.stringMatching(made),
      userErrors: [],
    });
    expect(await operations()).toEqual(["add_sip"]);
    for (const _ of [1, 2]) expect((await execute(input)).created).toEqual(first.created);
    expect(await operations()).toEqual(["add_sip", "add_sip", "get_sip", "add_sip", "get_sip"]);
  });

  it.each([
    {},
    { password: "made-up 1" },
  ])("succeeds when it is repeated after OUTCOME_UNKNOWN, if the write took effect: %j", async (input) => {
    await start({ PIOPIY_DEADLINE_MS: "2000" });
    await gateway.addFault({ operation: "add_sip", kind: "lose-reply" });
    await gateway.addFault({ operation: "get_sip", kind: "hang" });
    const { errors } = await execute(input);
    expect(errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN", retryable: true } }]);
    const again = await execute(input);
    expect(again.errors).toBeUndefined();
    expect(again.created).toMatchObject({ sipEndpoint: { username: "erin" }, userErrors: [] });
    const { data } = await gateway.execute(
      '{ sipEndpoint(username: "erin") { password } }',
      {},
      bearer("first"),
    );
    expect(data).toEqual({ sipEndpoint: { password: again.created.password } });
    expect(await operations()).toEqual(["add_sip", "get_sip", "add_sip", "get_sip", "get_sip"]);
  });

  it("creates the endpoint if the write of unknown outcome did not take effect", async () => {
    await start({ PIOPIY_DEADLINE_MS: "2000" });
    await gateway.addFault({ operation: "add_sip", kind: "hang" });
    expect((await execute({})).errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN" } }]);
    await passwordOf({});
  });

  it("returns the error of get_sip if the endpoint cannot be read", async () => {
    await start();
    await passwordOf({});
    await gateway.addFault({ operation: "get_sip", kind: "status", status: 420 });
    expect((await execute({})).errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAUTHENTICATED" } }]);
  });
});

describe("createSipEndpoint returns USERNAME_TAKEN", () => {
  it.each<[string, Input, string]>([
    ["for another key", { idempotencyKey: OTHER_KEY }, "first"],
    ["for the same key of another client", {}, "second"],
    ["for the same key with a password of its own", { password: "made-up-2" }, "first"],
    ["without a key", { idempotencyKey: null }, "first"],
  ])("%s", async (_, input, key) => {
    await start();
    await passwordOf({});
    expect((await execute(input, key)).created).toEqual(taken);
  });

  it("after the password was changed, or after another client has created the endpoint again", async () => {
    await start();
    await passwordOf({});
    const erin = 'input: { username: "erin" }';
    await gateway.execute(
      `mutation { rotateSipEndpointPassword(${erin}) { password } }`,
      {},
      bearer("first"),
    );
    expect((await execute({})).created).toEqual(taken);
    await gateway.execute(`mutation { removeSipEndpoint(${erin}) { username } }`, {}, bearer("first"));
    await passwordOf({}, "second");
    expect((await execute({})).created).toEqual(taken);
  });

  it("without a key, after one upstream request and without get_sip", async () => {
    await start();
    await execute({ idempotencyKey: undefined });
    expect((await execute({ idempotencyKey: undefined })).created).toEqual(taken);
    expect(await operations()).toEqual(["add_sip", "add_sip"]);
  });
});
