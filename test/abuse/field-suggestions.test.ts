import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { production } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: production });
});
afterAll(() => gateway.close());

/** A refused request, and the name that it nearly hits. */
interface NearMiss {
  readonly what: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly name: string;
}

const connect = "query ($input: ConnectActionInput!) { connectAction(input: $input) { pcmo } }";
const call = [{ user: "alice" }];

describe("graphql-cop finds no field suggestions: no error tells what is there instead of", () => {
  it.each<NearMiss>([
    { what: "a root field", query: '{ sipEndpoin(username: "alice") { type } }', name: "sipEndpoint" },
    { what: "a field", query: '{ sipEndpoint(username: "alice") { passwor } }', name: "password" },
    { what: "a field of a list", query: "{ sipEndpoints { edge { cursor } } }", name: "edges" },
    {
      what: "a mutation",
      query: 'mutation { removeSipEndpoin(input: { username: "a" }) { username } }',
      name: "removeSipEndpoint",
    },
    { what: "an argument", query: "{ sipEndpoints(firs: 5) { totalCount } }", name: "first" },
    {
      what: "a type",
      query: "query ($input: ConnectActionInpu) { __typename }",
      name: "ConnectActionInput",
    },
    { what: "a type of a fragment", query: "{ ... on Quer { __typename } }", name: "Query" },
    { what: "a directive", query: "{ __typename @skp(if: true) }", name: "@skip" },
    { what: "a field of introspection", query: "{ __schema { directive } }", name: "directives" },
    { what: "a selection", query: "{ sipEndpoints }", name: "sipEndpoints {" },
    {
      what: "an enum value",
      query: '{ connectAction(input: { call: [{ user: "alice" }], ringType: GROU }) { pcmo } }',
      name: "GROUP",
    },
    {
      what: "an input field",
      query: '{ connectAction(input: { call: [{ user: "alice" }], timeou: 5 }) { pcmo } }',
      name: "timeout",
    },
    {
      what: "an input field further down",
      query: '{ connectAction(input: { call: [{ user: "alice", typ: SIP }] }) { pcmo } }',
      name: "type",
    },
    {
      what: "an enum value in a variable",
      query: connect,
      variables: { input: { call, ringType: "GROU" } },
      name: "GROUP",
    },
    {
      what: "an input field in a variable",
      query: connect,
      variables: { input: { call, timeou: 5 } },
      name: "timeout",
    },
  ])("$what", async ({ query, variables, name }) => {
    const { data, errors } = await gateway.ask(query, variables);
    expect(data).toBeUndefined();
    const messages = errors?.map(({ message }) => message).join();
    expect(messages).toBeTruthy();
    expect(messages).not.toMatch(/did you mean|known here|one of|suggestion/i);
    expect(messages).not.toMatch(new RegExp(`["\`]${name}`));
    expect(await gateway.calls()).toEqual([]);
  });
});
