import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { makeKey, sign, startIssuer } from "../support/json-web-tokens.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

/** Sends an operation, and tells all that the audit trail says of it. */
async function trail(query: string, headers: Record<string, string>): Promise<unknown[]> {
  const before = gateway.log.length;
  const answer = await gateway.ask(query, {}, headers);
  const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
  return lines
    .filter(({ name }) => name === "audit")
    .map(({ level: _, time: _time, pid: _pid, hostname: _host, name: _name, msg: _msg, ...told }) => {
      expect(told).toMatchObject({ address: "127.0.0.1", requestId: answer.headers.get("x-request-id") });
      return [told.who, told.what, told.username, told.outcome, Object.keys(told).length];
    });
}

describe("The audit trail of a refused caller", () => {
  it.each<[string, string, string, unknown[]]>([
    [
      "each row of a list",
      "reader",
      "{ sipEndpoints(first: 2) { nodes { password } } }",
      [
        ["reader-name", "SipEndpoint.password", "alice", "FORBIDDEN", 6],
        ["reader-name", "SipEndpoint.password", "bob", "FORBIDDEN", 6],
      ],
    ],
    [
      "a field that is about no endpoint in particular",
      "writer",
      "{ sipEndpoints { totalCount } }",
      [["writer-name", "Query.sipEndpoints", undefined, "FORBIDDEN", 5]],
    ],
    [
      "references",
      "writer",
      '{ _entities(representations: [{ __typename: "SipEndpoint", username: "bob" }]) { __typename } }',
      [["writer-name", "Query._entities", undefined, "FORBIDDEN", 5]],
    ],
    [
      "a password that a change would have told",
      "writer",
      'mutation { updateSipEndpoint(input: { username: "alice" }) { sipEndpoint { password } } }',
      [
        ["writer-name", "Mutation.updateSipEndpoint", "alice", "done", 6],
        ["writer-name", "SipEndpoint.password", "alice", "FORBIDDEN", 6],
      ],
    ],
  ])("names %s", async (_, key, query, lines) => {
    gateway = await startGateway({ gateway: apiKeys({ reader: "sip:read", writer: "sip:write" }) });
    expect(await trail(query, bearer(key))).toEqual(lines);
  });

  it("names the logins of an address that has failed too often", async () => {
    gateway = await startGateway({ gateway: apiKeys({ reader: "sip:read" }) });
    for (let nth = 0; nth < 30; nth++) {
      expect(await trail("{ __typename }", bearer("made-up-guess"))).toEqual([
        [undefined, "login", undefined, "UNAUTHENTICATED", 4],
      ]);
    }
    expect(await trail("{ __typename }", bearer("reader"))).toEqual([
      [undefined, "login", undefined, "RATE_LIMITED", 4],
    ]);
    expect(gateway.log.join("")).not.toContain("made-up-guess");
  });

  it("names a login that could not be checked", async () => {
    const issuer = await startIssuer();
    issuer.answer((response) => response.writeHead(500).end());
    gateway = await startGateway({ gateway: issuer.settings });
    const token = await sign(await makeKey("key-1"));
    expect(await trail("{ __typename }", bearer(token))).toEqual([
      [undefined, "login", undefined, "UPSTREAM_UNAVAILABLE", 4],
    ]);
    expect(gateway.log.join("")).not.toContain(token.split(".").at(-1));
    await issuer.close();
  });
});
