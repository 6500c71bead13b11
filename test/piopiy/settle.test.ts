import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { writes } from "../support/gateway/broken-gateway.js";
import { auditOf, outcomeOf, type Write } from "../support/gateway/lost-writes.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

// Each case ends with a good answer, so that one gateway stands them all.
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { PIOPIY_TIMEOUT_MS: "300" } });
});
afterAll(() => gateway.close());

const before = { username: "alice", password: "made-up-0" };
beforeEach(() => gateway.reset({ endpoints: [before] }));

/** What each write does to which endpoint, and the password that it has afterwards. */
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

/** Makes the write, and tells how it ended and what it asked. */
async function write(operation: Write): Promise<{ outcome: string; calls: string[] }> {
  const { query } = cases[operation];
  const outcome = outcomeOf(await gateway.ask(`mutation { it: ${query} { userErrors { code } } }`));
  return { outcome, calls: (await gateway.calls()).map((call) => call.operation) };
}

async function passwordOf(username: string): Promise<string | undefined> {
  const query = "query ($username: ID!) { sipEndpoint(username: $username) { password } }";
  const { data } = await gateway.ask<{ sipEndpoint: { password: string } | null }>(query, { username });
  return data.sipEndpoint?.password;
}

describe.each(writes)("%s at the emulator", (operation) => {
  const { username, password } = cases[operation];

  it("is done once when only its answer is lost", async () => {
    await gateway.fail({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({ outcome: "done", calls: [operation, "get_sip"] });
    expect(await passwordOf(username)).toBe(password);
  });

  it.each(["reset", "garbage", "hang"])("is done by its repetition after a %s", async (kind) => {
    await gateway.fail({ operation, kind });
    expect(await write(operation)).toEqual({ outcome: "done", calls: [operation, "get_sip", operation] });
    expect(await passwordOf(username)).toBe(password);
  });

  it("is done whatever befalls the looks and the repetitions", async () => {
    await gateway.fail({ operation, kind: "status", status: 500 });
    await gateway.fail({ operation: "get_sip", kind: "lose-reply" });
    await gateway.fail({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({
      outcome: "done",
      calls: [operation, "get_sip", "get_sip", operation, "get_sip"],
    });
    expect(await passwordOf(username)).toBe(password);
  });

  it.each([
    { status: 429 },
    { status: 503 },
    { status: 503, retryAfter: 1 },
  ])("is neither done nor looked at when PIOPIY is busy: %j", async (fault) => {
    await gateway.fail({ operation, kind: "status", ...fault });
    expect(await write(operation)).toEqual({ outcome: "UPSTREAM_UNAVAILABLE", calls: [operation] });
    expect(await passwordOf(username)).toBe(operation === "add_sip" ? undefined : before.password);
  });

  it("leaves one line in the audit trail, with its end", async () => {
    const lines = auditOf(gateway).length;
    await gateway.fail({ operation, kind: "lose-reply" });
    await write(operation);
    expect(auditOf(gateway).slice(lines)).toMatchObject([{ username, outcome: "done" }]);
  });
});

describe("A lost write at the emulator", () => {
  it("add_sip of a name that somebody else has is USERNAME_TAKEN, and leaves that endpoint alone", async () => {
    await gateway.reset({ endpoints: [{ username: "erin", password: "made-up-9" }] });
    await gateway.fail({ operation: "add_sip", kind: "lose-reply" });
    expect(await write("add_sip")).toEqual({ outcome: "USERNAME_TAKEN", calls: ["add_sip", "get_sip"] });
    expect(await passwordOf("erin")).toBe("made-up-9");
  });

  it.each([
    ["update_sip", "SIP_ENDPOINT_NOT_FOUND"],
    ["remove_sip", "done"],
  ] as const)("%s of a name that is not there is %s", async (operation, outcome) => {
    await gateway.reset({ count: 0 });
    await gateway.fail({ operation, kind: "lose-reply" });
    expect(await write(operation)).toEqual({ outcome, calls: [operation, "get_sip"] });
  });

  it("makes one endpoint of one name, and none else", async () => {
    await gateway.fail({ operation: "add_sip", kind: "lose-reply" });
    await write("add_sip");
    const { data } = await gateway.ask("{ sipEndpoints { nodes { username } } }");
    expect(data).toEqual({ sipEndpoints: { nodes: [{ username: "alice" }, { username: "erin" }] } });
  });
});
