import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { production } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: production });
});
afterAll(() => gateway.close());

/** A rejected request, and the existing name that is similar to the one in it. */
interface NearMiss {
  readonly what: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly name: string;
}

const connect = "query ($input: ConnectActionInput!) { connectAction(input: $input) { pcmo } }";
const call = [{ user: "alice" }];

describe("graphql-cop finds no field suggestions: no error names a similar", () => {
  it.each<NearMiss>([
    { what: "root field", query: '{ sipEndpoin(username: "alice") { type } }', name: "sipEndpoint" },
    { what: "field", query: '{ sipEndpoint(username: "alice") { passwor } }', name: "password" },
    { what: "field of a list", query: "{ sipEndpoints { edge { cursor } } }", name: "edges" },
    {
      what: "mutation",
      query: 'mutation { removeSipEndpoin(input: { username: "a" }) { username } }',
      name: "removeSipEndpoint",
    },
    { what: "argument", query: "{ sipEndpoints(firs: 5) { totalCount } }", name: "first" },
    {
      what: "type",
      query: "query ($input: ConnectActionInpu) { __typename }",
      name: "ConnectActionInput",
    },
    { what: "type of a fragment", query: "{ ... on Quer { __typename } }", name: "Query" },
    { what: "directive", query: "{ __typename @skp(if: true) }", name: "@skip" },
    { what: "field of introspection", query: "{ __schema { directive } }", name: "directives" },
    { what: "field with a selection", query: "{ sipEndpoints }", name: "sipEndpoints {" },
    {
      what: "enum value",
      query: '{ connectAction(input: { call: [{ user: "alice" }], ringType: GROU }) { pcmo } }',
      name: "GROUP",
    },
    {
      what: "input field",
      query: '{ connectAction(input: { call: [{ user: "alice" }], timeou: 5 }) { pcmo } }',
      name: "timeout",
    },
    {
      what: "nested input field",
      query: '{ connectAction(input: { call: [{ user: "alice", typ: SIP }] }) { pcmo } }',
      name: "type",
    },
    {
      what: "enum value in a variable",
      query: connect,
      variables: { input: { call, ringType: "GROU" } },
      name: "GROUP",
    },
    {
      what: "input field in a variable",
      query: connect,
      variables: { input: { call, timeou: 5 } },
      name: "timeout",
    },
  ])("$what", async ({ query, variables, name }) => {
    const { data, errors } = await gateway.execute(query, variables);
    expect(data).toBeUndefined();
    const messages = errors?.map(({ message }) => message).join();
    expect(messages).toBeTruthy();
    expect(messages).not.toMatch(/did you mean|known here|one of|suggestion/i);
    expect(messages).not.toMatch(new RegExp(`["\`]${name}`));
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
