import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { writes } from "../../support/gateway/broken-gateway.js";
import { auditOf, outcomeOf, type Write } from "../../support/gateway/lost-writes.js";
import { startGateway, type TestGateway } from "../../support/gateway/test-gateway.js";

// Each case ends with a valid response, so that one gateway can be used for all.
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { PIOPIY_TIMEOUT_MS: "1000", PIOPIY_DEADLINE_MS: "60000" } });
});
afterAll(() => gateway.close());

const before = { username: "alice", password: "made-up-0" };
beforeEach(() => gateway.reset({ endpoints: [before] }));

/** The mutation for each write, its endpoint, and the password of the endpoint afterwards. */
const cases = {
  add_sip: {
    query: 'createSipEndpoint(input: { username: "erin", password: "made-up-1" })',
    username: "erin",
    password: "made-up-1",
  },
  update_sip: {
    query: 'updateSipEndpoint(input: { username: "alice", password: "made-up-1" })',
    username: "alice",
    password: "made-up-1",
  },
  remove_sip: {
    query: 'removeSipEndpoint(input: { username: "alice" })',
    username: "alice",
    password: undefined,
  },
};

/** Sends a mutation. Returns its outcome and the upstream requests. */
async function write(operation: Write): Promise<{ outcome: string; requests: string[] }> {
  const { query } = cases[operation];
  const outcome = outcomeOf(await gateway.execute(`mutation { it: ${query} { userErrors { code } } }`));
  return { outcome, requests: (await gateway.upstreamRequests()).map((request) => request.operation) };
}

async function passwordOf(username: string): Promise<string | undefined> {
  const query = "query ($username: ID!) { sipEndpoint(username: $username) { password } }";
  const { data } = await gateway.execute<{ sipEndpoint: { password: string } | null }>(query, { username });
  return data.sipEndpoint?.password;
}

describe.each(writes)("%s at the emulator", (operation) => {
  const { username, password } = cases[operation];

  it("is sent once when only its response is lost", async () => {
    await gateway.addFault({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({ outcome: "done", requests: [operation, "get_sip"] });
    expect(await passwordOf(username)).toBe(password);
  });

  it.each(["reset", "garbage", "hang"])("takes effect by its repetition after a %s", async (kind) => {
    await gateway.addFault({ operation, kind });
    expect(await write(operation)).toEqual({ outcome: "done", requests: [operation, "get_sip", operation] });
    expect(await passwordOf(username)).toBe(password);
  });

  it("takes effect although get_sip and repetitions fail too", async () => {
    await gateway.addFault({ operation, kind: "status", status: 500 });
    await gateway.addFault({ operation: "get_sip", kind: "lose-reply" });
    await gateway.addFault({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({
      outcome: "done",
      requests: [operation, "get_sip", "get_sip", operation, "get_sip"],
    });
    expect(await passwordOf(username)).toBe(password);
  });

  it.each([
    { status: 429 },
    { status: 503 },
    { status: 503, retryAfter: 1 },
  ])("fails without reconciliation when PIOPIY is busy: %j", async (fault) => {
    await gateway.addFault({ operation, kind: "status", ...fault });
    expect(await write(operation)).toEqual({ outcome: "UPSTREAM_UNAVAILABLE", requests: [operation] });
    expect(await passwordOf(username)).toBe(operation === "add_sip" ? undefined : before.password);
  });

  it("leaves one entry in the audit log, with its outcome", async () => {
    const lines = auditOf(gateway).length;
    await gateway.addFault({ operation, kind: "lose-reply" });
    await write(operation);
    expect(auditOf(gateway).slice(lines)).toMatchObject([{ username, outcome: "done" }]);
  });
});

describe("A write whose response was lost, at the emulator,", () => {
  it("returns USERNAME_TAKEN for add_sip of another client's username, and leaves that endpoint unchanged", async () => {
    await gateway.reset({ endpoints: [{ username: "erin", password: "made-up-9" }] });
    await gateway.addFault({ operation: "add_sip", kind: "lose-reply" });
    expect(await write("add_sip")).toEqual({ outcome: "USERNAME_TAKEN", requests: ["add_sip", "get_sip"] });
    expect(await passwordOf("erin")).toBe("made-up-9");
  });

  it.each([
    ["update_sip", "SIP_ENDPOINT_NOT_FOUND"],
    ["remove_sip", "done"],
  ] as const)("is %s of an unknown username: %s", async (operation, outcome) => {
    await gateway.reset({ count: 0 });
    await gateway.addFault({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({ outcome, requests: [operation, "get_sip"] });
  });

  it("creates exactly one endpoint", async () => {
    await gateway.addFault({ operation: "add_sip", kind: "lose-reply" });
    await write("add_sip");
    const { data } = await gateway.execute("{ sipEndpoints { nodes { username } } }");
    expect(data).toEqual({ sipEndpoints: { nodes: [{ username: "alice" }, { username: "erin" }] } });
  });
});
