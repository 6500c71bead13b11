import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";

const { key, password } = canaries;
const all = bearer(key);
const clients = apiKeys({ [key]: "sip:read+sip:write+sip:password", reader: "sip:read" });

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { ...clients, ...settings } });
  await gateway.reset({
    endpoints: [
      { username: "alice", password },
      { username: "bob", password },
    ],
  });
}

/** Sends an operation, and returns its entries of the audit log. */
async function auditEntries(query: string, headers: Record<string, string> = all): Promise<unknown[]> {
  const before = gateway.log.length;
  const response = await gateway.execute(query, {}, headers);
  const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
  const audit = lines.filter(({ name }) => name === "audit");
  for (const line of audit) {
    expect(line).toMatchObject({
      requestId: response.headers.get("x-request-id"),
      address: "127.0.0.1",
      level: 30,
    });
    expect(holdsCanary(JSON.stringify(line), "password")).toBe(false);
    expect(JSON.stringify(line)).not.toContain(`"${key}"`);
  }
  return audit.map(({ who, what, username, outcome }) => [who, what, username, outcome]);
}

const me = `${key}-name`;
const create = (input: string) =>
  `mutation { createSipEndpoint(input: { ${input} }) { userErrors { code } } }`;
const remove = 'mutation { removeSipEndpoint(input: { username: "bob" }) { username } }';

describe("The audit log", () => {
  it.each<[string, string, unknown[]]>([
    [
      "a mutation that succeeds",
      create('username: "erin"'),
      [[me, "Mutation.createSipEndpoint", "erin", "done"]],
    ],
    [
      "a mutation that has no effect",
      create('username: "alice"'),
      [[me, "Mutation.createSipEndpoint", "alice", "USERNAME_TAKEN"]],
    ],
    [
      "a mutation with two user errors",
      create('username: "a b", password: " "'),
      [[me, "Mutation.createSipEndpoint", "a b", "INVALID_USERNAME INVALID_PASSWORD"]],
    ],
    [
      "each mutation of an operation",
      `mutation { a: removeSipEndpoint(input: { username: "bob" }) { username } b: updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { password } }`,
      [
        [me, "Mutation.removeSipEndpoint", "bob", "done"],
        [me, "Mutation.updateSipEndpoint", "alice", "done"],
      ],
    ],
    [
      "each item of a mutation of many endpoints",
      `mutation { createSipEndpoints(input: { items: [{ username: "alice" }, { username: "a b", password: " " }, { username: "erin" }] }) { created } }`,
      [
        [me, "Mutation.createSipEndpoints", "a b", "INVALID_USERNAME INVALID_PASSWORD"],
        [me, "Mutation.createSipEndpoints", "alice", "USERNAME_TAKEN"],
        [me, "Mutation.createSipEndpoints", "erin", "done"],
      ],
    ],
    [
      "each item of a removal",
      `mutation { removeSipEndpoints(input: { usernames: ["bob", "erin"] }) { removed } }`,
      [
        [me, "Mutation.removeSipEndpoints", "bob", "done"],
        [me, "Mutation.removeSipEndpoints", "erin", "SIP_ENDPOINT_NOT_FOUND"],
      ],
    ],
    [
      "a list that is rejected",
      `mutation { createSipEndpoints(input: { items: [{ username: "a b" }, { username: "" }], idempotencyKey: "short" }) { created } }`,
      [[me, "Mutation.createSipEndpoints", undefined, "INVALID_IDEMPOTENCY_KEY INVALID_USERNAME"]],
    ],
    [
      "each password that is read",
      "{ sipEndpoints { nodes { password } } }",
      [
        [me, "SipEndpoint.password", "alice", "done"],
        [me, "SipEndpoint.password", "bob", "done"],
      ],
    ],
    ["no reads without passwords", "{ sipEndpoints { nodes { username type } } }", []],
  ])("records %s", async (_, query, lines) => {
    await start();
    // The items of a list are done in parallel.
    expect((await auditEntries(query)).toSorted()).toEqual(lines.toSorted());
  });

  it("records the error of a mutation that fails", async () => {
    await start();
    await gateway.addFault({ operation: "remove_sip", kind: "status", status: 420 });
    expect(await auditEntries(remove)).toEqual([
      [me, "Mutation.removeSipEndpoint", "bob", "UPSTREAM_UNAUTHENTICATED"],
    ]);
  });

  it("records the client and the field of a rejection", async () => {
    await start();
    const reader = bearer("reader");
    expect(await auditEntries(remove, reader)).toEqual([
      ["reader-name", "Mutation.removeSipEndpoint", "bob", "FORBIDDEN"],
    ]);
    expect(await auditEntries('{ sipEndpoint(username: "alice") { username password } }', reader)).toEqual([
      ["reader-name", "SipEndpoint.password", "alice", "FORBIDDEN"],
    ]);
  });

  it.each([
    ["no credential", {}],
    ["an invalid one", bearer("made-up")],
  ])("records a client with %s, without the credential", async (_, headers) => {
    await start();
    expect(await auditEntries(remove, headers)).toEqual([[undefined, "login", undefined, "UNAUTHENTICATED"]]);
    expect(gateway.log.join("")).not.toContain('made-up"');
  });

  it.each(["silent", "error", "trace"])("is written at log level %s too", async (LOG_LEVEL) => {
    await start({ LOG_LEVEL });
    expect(await auditEntries(remove)).toEqual([[me, "Mutation.removeSipEndpoint", "bob", "done"]]);
  });

  it("truncates a username that is too long", async () => {
    await start();
    const [line] = await auditEntries(create(`username: "${"x".repeat(5000)}"`));
    expect(line).toEqual([me, "Mutation.createSipEndpoint", `${"x".repeat(59)}…`, "INVALID_USERNAME"]);
  });

  it("records the address of the client with AUTH=none", async () => {
    await start({ AUTH: "none" });
    expect(await auditEntries(remove, {})).toEqual([
      ["127.0.0.1", "Mutation.removeSipEndpoint", "bob", "done"],
    ]);
  });
});
