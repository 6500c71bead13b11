import { afterEach, describe, expect, it } from "@jest/globals";
import { seededRandom } from "../chaos/seeded-random.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

interface Payload {
  readonly password: string | null;
}

type Payloads = Record<string, Payload | null>;

const names = (count: number) => Array.from({ length: count }, (_, index) => `new${index}`);
const creations = (usernames: readonly string[]) =>
  usernames
    .map((name) => `${name}: createSipEndpoint(input: { username: "${name}" }) { password }`)
    .join("\n");

/** Returns the passwords of the account's endpoints by their usernames. */
async function storedPasswords(): Promise<Record<string, string>> {
  const { data } = await gateway.execute<{
    sipEndpoints: { nodes: { username: string; password: string }[] };
  }>("{ sipEndpoints(first: 100) { nodes { username password } } }");
  return Object.fromEntries(data.sipEndpoints.nodes.map(({ username, password }) => [username, password]));
}

/** Returns the passwords in the payloads by their usernames. */
function returnedPasswords(payloads: Payloads): Record<string, string> {
  const entries = Object.entries(payloads).flatMap(([name, payload]) =>
    payload?.password ? [[name, payload.password] as const] : [],
  );
  return Object.fromEntries(entries);
}

describe("An upstream request that fails", () => {
  it("makes only the details of its row null in a list", async () => {
    gateway = await startGateway();
    await gateway.reset({ count: 3 });
    await gateway.addFault({ operation: "get_sip", username: "user0002", kind: "status", status: 404 });
    const { status, data, errors } = await gateway.execute(
      "{ sipEndpoints { totalCount nodes { username sipUri video password } pageInfo { hasNextPage } } }",
    );
    const row = (username: string, sipUri: string | null, video: boolean | null) => ({
      username,
      sipUri,
      video,
      password: expect.any(String),
    });
    expect(data).toEqual({
      sipEndpoints: {
        totalCount: 3,
        nodes: [
          row("user0001", "sip:user0001@sbc.emulator.example", true),
          row("user0002", null, null),
          row("user0003", "sip:user0003@sbc.emulator.example", true),
        ],
        pageInfo: { hasNextPage: false },
      },
    });
    expect(errors?.map(({ path, extensions: { code } }) => [path?.slice(2), code])).toEqual([
      [[1, "sipUri"], "UPSTREAM_REJECTED"],
      [[1, "video"], "UPSTREAM_REJECTED"],
    ]);
    expect(status).toBe(200);
  });

  it("makes only its own root field null", async () => {
    gateway = await startGateway();
    await gateway.addFault({ operation: "list_sip", kind: "status", status: 404 });
    const { data, errors } = await gateway.execute(
      `{
        sipEndpoints { totalCount }
        sipEndpoint(username: "alice") { username }
        validatePcmo(pcmo: [{ action: "hangup" }]) { valid }
        connectAction(input: { call: [{ user: "alice" }] }, verify: true) { summary }
      }`,
    );
    expect(data).toEqual({
      sipEndpoints: null,
      sipEndpoint: { username: "alice" },
      validatePcmo: { valid: true },
      connectAction: { summary: expect.any(String) },
    });
    expect(errors?.map(({ path }) => path)).toEqual([["sipEndpoints"]]);
  });

  it("makes an endpoint that was removed elsewhere null in its details only, once", async () => {
    gateway = await startGateway({ gateway: { CACHE_TTL_MS: "10000" } });
    await gateway.reset({ count: 3 });
    await gateway.execute("{ sipEndpoints { totalCount } }");
    await gateway.reset({ endpoints: [{ username: "user0001" }, { username: "user0003" }] });
    const query = "{ sipEndpoints { totalCount nodes { username type } } }";
    const first = await gateway.execute(query);
    expect(first.data).toEqual({
      sipEndpoints: {
        totalCount: 3,
        nodes: [
          { username: "user0001", type: "SIP" },
          { username: "user0002", type: null },
          { username: "user0003", type: "SIP" },
        ],
      },
    });
    expect(first.errors).toMatchObject([
      {
        path: ["sipEndpoints", "nodes", 1, "type"],
        extensions: { code: "UPSTREAM_INVALID_RESPONSE", retryable: true },
      },
    ]);
    const second = await gateway.execute(query);
    expect(second.errors).toBeUndefined();
    expect(second.data).toMatchObject({ sipEndpoints: { totalCount: 2 } });
  });
});

describe("A mutation that fails", () => {
  it("does not discard the password of a mutation before it", async () => {
    gateway = await startGateway();
    await gateway.reset({ endpoints: [] });
    await gateway.addFault({ operation: "add_sip", username: "new1", kind: "status", status: 404 });
    const { data, errors } = await gateway.execute<Payloads>(`mutation { ${creations(names(2))} }`);
    expect(data.new1).toBeNull();
    expect(errors).toMatchObject([{ path: ["new1"], extensions: { code: "UPSTREAM_REJECTED" } }]);
    expect(returnedPasswords(data)).toEqual(await storedPasswords());
  });

  it.each([
    1, 2, 3,
  ])("leaves the payloads of eleven others, with five random faults (seed %i)", async (seed) => {
    // On a busy machine, the retries of twelve creations take longer than the default deadline.
    gateway = await startGateway({ gateway: { PIOPIY_DEADLINE_MS: "60000" } });
    await gateway.reset({ endpoints: [] });
    const random = seededRandom(seed);
    const all = names(12);
    const failing = [...all].sort(() => random.next() - 0.5).slice(0, 5);
    for (const username of failing) {
      const kind = random.pick(["status", "garbage", "lose-reply", "reset"]);
      await gateway.addFault({ operation: "add_sip", username, kind, times: 20 });
    }
    const { data, errors = [] } = await gateway.execute<Payloads>(`mutation { ${creations(all)} }`);
    const stored = await storedPasswords();
    const returned = returnedPasswords(data);
    const failed = errors.map(({ path }) => path?.[0]);
    expect(Object.keys(data)).toEqual(all);
    for (const name of all) expect(failed.includes(name)).toBe(data[name] === null);
    expect(Object.keys(returned).length).toBeGreaterThan(0);
    expect(returned).toEqual(stored);
  });

  it("because the deadline has passed leaves the passwords of 60 aliased creations that took effect", async () => {
    gateway = await startGateway({ gateway: { PIOPIY_DEADLINE_MS: "4000" } });
    await gateway.reset({ endpoints: [] });
    await gateway.addFault({ operation: "add_sip", kind: "latency", ms: 250, times: 60 });
    const { data, errors = [] } = await gateway.execute<Payloads>(`mutation { ${creations(names(60))} }`);
    const returned = returnedPasswords(data);
    const stored = await storedPasswords();
    const unknown = errors.filter(({ extensions }) => extensions.code === "OUTCOME_UNKNOWN");
    expect(Object.keys(returned).length).toBeGreaterThan(0);
    expect(Object.keys(returned)).toHaveLength(60 - errors.length);
    // Only the creation that was in progress at the deadline may have an unknown outcome.
    expect(unknown.length).toBeLessThanOrEqual(1);
    for (const { path } of unknown) delete stored[String(path?.[0])];
    expect(returned).toEqual(stored);
  });
});
