import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { makeKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

/** Sends an operation, and returns its entries of the audit log. */
async function auditEntries(query: string, headers: Record<string, string>): Promise<unknown[]> {
  const before = gateway.log.length;
  const response = await gateway.execute(query, {}, headers);
  const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
  return lines
    .filter(({ name }) => name === "audit")
    .map(({ level: _, time: _time, pid: _pid, hostname: _host, name: _name, msg: _msg, ...reported }) => {
      expect(reported).toMatchObject({
        address: "127.0.0.1",
        requestId: response.headers.get("x-request-id"),
      });
      return [reported.who, reported.what, reported.username, reported.outcome, Object.keys(reported).length];
    });
}

describe("The audit log of rejections", () => {
  it.each<[string, string, string, unknown[]]>([
    [
      "the first row of a list",
      "reader",
      "{ sipEndpoints(first: 2) { nodes { password } } }",
      [["reader-name", "SipEndpoint.password", "alice", "FORBIDDEN", 6]],
    ],
    [
      "a field that belongs to no endpoint",
      "writer",
      "{ sipEndpoints { totalCount } }",
      [["writer-name", "Query.sipEndpoints", undefined, "FORBIDDEN", 5]],
    ],
    [
      "entities",
      "writer",
      '{ _entities(representations: [{ __typename: "SipEndpoint", username: "bob" }]) { __typename } }',
      [["writer-name", "Query._entities", undefined, "FORBIDDEN", 5]],
    ],
    [
      "the password in the payload of a mutation",
      "writer",
      'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { sipEndpoint { password } } }',
      [
        ["writer-name", "Mutation.updateSipEndpoint", "alice", "done", 6],
        ["writer-name", "SipEndpoint.password", "alice", "FORBIDDEN", 6],
      ],
    ],
  ])("has an entry for %s", async (_, key, query, lines) => {
    gateway = await startGateway({ gateway: apiKeys({ reader: "sip:read", writer: "sip:write" }) });
    expect(await auditEntries(query, bearer(key))).toEqual(lines);
  });

  it("has an entry for the first login of each kind, and one for all others of a kind when the gateway stops", async () => {
    gateway = await startGateway({ gateway: apiKeys({ reader: "sip:read" }) });
    const wrong = bearer("made-up-guess");
    const first = (outcome: string) => [[undefined, "login", undefined, outcome, 5]];
    expect(await auditEntries("{ __typename }", {})).toEqual(first("UNAUTHENTICATED"));
    expect(await auditEntries("{ __typename }", wrong)).toEqual(first("UNAUTHENTICATED"));
    for (let nth = 2; nth <= 30; nth++) expect(await auditEntries("{ __typename }", wrong)).toEqual([]);
    expect(await auditEntries("{ __typename }", wrong)).toEqual(first("RATE_LIMITED"));
    expect(await auditEntries("{ __typename }", wrong)).toEqual([]);
    expect(await auditEntries("{ __typename }", {})).toEqual([]);
    const before = gateway.log.length;
    await gateway.close();
    const counted = gateway.log.slice(before).map((line) => JSON.parse(line));
    expect(
      counted.map(({ what, outcome, reason, count, address }) => [what, outcome, reason, count, address]),
    ).toEqual([
      ["login", "UNAUTHENTICATED", "missing", 1, "127.0.0.1"],
      ["login", "UNAUTHENTICATED", "unknown-key", 29, "127.0.0.1"],
      ["login", "RATE_LIMITED", "unknown-key", 1, "127.0.0.1"],
    ]);
    expect(gateway.log.join("")).not.toContain("made-up-guess");
  });

  it("aggregates the rejections of a client by field, but neither changes nor password reads", async () => {
    gateway = await startGateway({
      gateway: apiKeys({ reader: "sip:read", all: "sip:read+sip:write+sip:password" }),
    });
    const read = "{ sipEndpoints(first: 3) { nodes { password } } }";
    const remove = 'mutation { removeSipEndpoint(input: { username: "nobody" }) { username } }';
    for (let nth = 0; nth < 2; nth++) await gateway.execute(read, {}, bearer("reader"));
    for (let nth = 0; nth < 3; nth++) await gateway.execute(remove, {}, bearer("reader"));
    expect(await auditEntries(read, bearer("all"))).toHaveLength(3);
    expect(await auditEntries(read, bearer("all"))).toHaveLength(3);
    const before = gateway.log.length;
    await gateway.close();
    const counted = gateway.log.slice(before).map((line) => JSON.parse(line));
    expect(counted.map(({ who, what, outcome, count }) => [who, what, outcome, count])).toEqual([
      ["reader-name", "SipEndpoint.password", "FORBIDDEN", 5],
      ["reader-name", "Mutation.removeSipEndpoint", "FORBIDDEN", 2],
    ]);
  });

  it("has an entry for a login that could not be verified", async () => {
    const issuer = await startIssuer();
    issuer.respond((response) => response.writeHead(500).end());
    gateway = await startGateway({ gateway: issuer.settings });
    const token = await sign(await makeKey("key-1"));
    expect(await auditEntries("{ __typename }", bearer(token))).toEqual([
      [undefined, "login", undefined, "UPSTREAM_UNAVAILABLE", 4],
    ]);
    expect(gateway.log.join("")).not.toContain(token.split(".").at(-1));
    await issuer.close();
  });
});
