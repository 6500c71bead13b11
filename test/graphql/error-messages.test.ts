import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const endpoint = (rest: string) => `{ sipEndpoint(username: "a") ${rest} }`;
const connect = (rest: string) => `{ connectAction(input: { call: [{ user: "a" }], ${rest} }) { pcmo } }`;
const ofInput = "query ($input: ConnectActionInput!) { connectAction(input: $input) { pcmo } }";
const call = [{ user: "a" }];

async function messagesOf(query: string, variables?: Record<string, unknown>): Promise<unknown> {
  const { errors } = await gateway.execute(query, variables);
  expect(gateway.log.filter((line) => line.includes("masked"))).toEqual([]);
  return errors?.map(({ message }) => message);
}

describe("The error of an invalid document states the problem, what is allowed and what to do:", () => {
  it.each([
    [endpoint("{ usernam }"), "`SipEndpoint` has no field `usernam`. Did you mean `username`?"],
    [
      "{ _entities(representations: []) { username } }",
      "`_Entity` has no field `username`. Select the fields of one of its types in a fragment: `SipEndpoint`.",
    ],
    [
      "{ sipEndpoints }",
      "`sipEndpoints` is of type `SipEndpointConnection`: select some of its fields in braces after it.",
    ],
    [
      endpoint("{ username { x } }"),
      "`username` is of type `ID!`, which has no fields. Remove the braces after it.",
    ],
    ["{ sipEndpoint { type } }", "`sipEndpoint` needs the argument `username` of type `ID!`."],
    [
      "{ sipEndpoints(firs: 3) { totalCount } }",
      "`Query.sipEndpoints` has no argument `firs`. Did you mean `first`?",
    ],
    ["{ __typename @skip }", "`@skip` needs the argument `if` of type `Boolean!`."],
    ["{ __typename @skp(if: true) }", "There is no directive `@skp`. Did you mean `skip`?"],
    [
      "query @skip(if: true) { __typename }",
      "The directive `@skip` may not be used here. It may be used on: FIELD, FRAGMENT_SPREAD, INLINE_FRAGMENT.",
    ],
    ["{ __typename @skip(if: true) @skip(if: true) }", "The directive `@skip` may be used only once here."],
    [
      '{ sipEndpoints(first: "3") { totalCount } }',
      "`first` must be of type `Int` (got a string). It must be a whole number from -2147483648 to 2147483647.",
    ],
    [
      '{ sipEndpoint(username: ["a"]) { type } }',
      "A value in `username` must be of type `ID` (got a list). It must be a string, or a whole number from -9007199254740991 to 9007199254740991.",
    ],
    [
      connect("ringType: GROU"),
      "A value in `input` must be of type `ConnectRingType!` (got a name without quotes). It must be one of `SINGLE`, `GROUP`.",
    ],
    [connect("timeou: 5"), "`ConnectActionInput` does not have this field. Did you mean `timeout`?"],
    [
      "{ connectAction(input: {}) { pcmo } }",
      "`ConnectActionInput` needs the field `call` of type `[ConnectTargetInput!]!`.",
    ],
    [
      "query ($u: String) { sipEndpoint(username: $u) { type } }",
      "The variable `$u` is declared as `String` and must be of type `ID!` here.",
    ],
    ["query A { sipEndpoint(username: $u) { type } }", "The operation does not declare the variable `$u`."],
    ["query ($a: Int) { __typename }", "The variable `$a` is never used. Remove it."],
    [
      "query ($u: ID!, $u: ID!) { sipEndpoint(username: $u) { type } }",
      "The variable `$u` is declared more than once.",
    ],
    ["{ sipEndpoints(first: 1, first: 2) { totalCount } }", "The argument `first` is given more than once."],
    [connect("loop: 1, loop: 1"), "A field of an input object is given more than once."],
    [
      "{ __typename } query B { __typename }",
      "A document with several operations must give each of them a name.",
    ],
    ["{ ...F }", "The document has no fragment `F`."],
    ["{ __typename } fragment F on Query { __typename }", "The fragment `F` is never used. Remove it."],
    [
      "{ ... on SipEndpoint { username } }",
      "A fragment on `SipEndpoint` never applies to `Query`. Remove it.",
    ],
    ["{ ... on Quer { x } }", "There is no type `Quer`. Did you mean `Query`?"],
    [
      '{ a: sipEndpoint(username: "a") { type } a: sipEndpoint(username: "b") { type } }',
      "`sipEndpoint` is selected twice under the same name, with different arguments. Give one of them another alias.",
    ],
    [
      endpoint("{ x: type x: username }"),
      "`type` and `username` are selected under the same name. Give one of them another alias.",
    ],
    [
      "mutation { createSipEndpoints(input: { items: null }) { created } }",
      "A value in `input` must be of type `[CreateSipEndpointsItem!]!` (got null). It must be a list.",
    ],
    [
      "mutation { removeSipEndpoints(input: { usernames: null }) { removed } }",
      "A value in `input` must be of type `[ID!]!` (got null). It must be a list.",
    ],
    [
      "mutation { createSipEndpoints(input: { items: [5] }) { created } }",
      "A value in `input` must be of type `CreateSipEndpointsItem!` (got a whole number). It must be an object.",
    ],
    [
      "type X { a: Int } query { __typename }",
      "The document may have operations and fragments only. Remove the definition of a type or directive.",
    ],
  ])("%s", async (query, message) => {
    expect(await messagesOf(query)).toEqual([message]);
  });

  it("has a location, and there are at most five errors", async () => {
    const fields = Array.from({ length: 20 }, (_, index) => `\n  nothing${index}`).join("");
    const { errors } = await gateway.execute(`{${fields} }`);
    expect(errors).toMatchObject([2, 3, 4, 5, 6].map((line) => ({ locations: [{ line, column: 3 }] })));
    expect(errors).toHaveLength(5);
  });
});

describe("The error of a document that does not parse states the location:", () => {
  it.each([
    ["{", "unexpected end of the document at line 1, column 2."],
    [endpoint("{ type }").replace(")", ""), "unexpected `{` at line 1, column 29."],
    ["{ a }\nfragmet B on C { d }", "unexpected name `fragmet` at line 2, column 1."],
    ['{ a(b: "x" "y") }', "unexpected string at line 1, column 12."],
    ["{ a(b: c d e) }", "unexpected name at line 1, column 12."],
    ["mutation { 5 }", "unexpected number at line 1, column 12."],
    ['{ a(b: "x }', "unexpected character, or incomplete string or number, at line 1, column 12."],
  ])("%s", async (query, message) => {
    expect(await messagesOf(query)).toEqual([`Syntax error in the document: ${message}`]);
  });
});

describe("The errors of invalid variables state the location and the kind of each value:", () => {
  it.each<[string, Record<string, unknown>, string]>([
    [ofInput, {}, "Variable `$input` must be of type `ConnectActionInput!` (got no value)."],
    [ofInput, { input: null }, "Variable `$input` must be of type `ConnectActionInput!` (got null)."],
    [ofInput, { input: 5 }, "Variable `$input` must be of type `ConnectActionInput!` (got a whole number)."],
    [
      ofInput,
      { input: { call: [...call, ...call, { user: ["a"] }] } },
      "Variable `$input.call[2].user` must be of type `ID!` (got a list). It must be a string, or a whole number from -9007199254740991 to 9007199254740991.",
    ],
    [
      ofInput,
      { input: { call: [{}] } },
      "Variable `$input.call[0].user` must be of type `ID!` (got no value).",
    ],
    [
      ofInput,
      { input: { call, ringType: "GROU" } },
      "Variable `$input.ringType` must be of type `ConnectRingType!` (got a string). It must be one of `SINGLE`, `GROUP`.",
    ],
    [
      ofInput,
      { input: { call, timeou: 5 } },
      "Variable `$input` has a field that `ConnectActionInput` does not have. Did you mean `timeout`?",
    ],
    [
      ofInput,
      { input: { call, duration: 1.5 } },
      "Variable `$input.duration` must be of type `Int!` (got a number). It must be a whole number from -2147483648 to 2147483647.",
    ],
    [
      'query ($name: ID = "alice") { sipEndpoint(username: $name) { username } }',
      { name: null },
      "`username` of `sipEndpoint` must be of type `ID!`, but `$name` is null or missing.",
    ],
    [
      "query ($t: Int) { connectAction(input: { call: [], timeout: $t }) { pcmo } }",
      { t: null },
      "`input` of `connectAction` must be of type `ConnectActionInput!`, but a variable in it is null or missing.",
    ],
    [
      "query ($b: Boolean = true) { __typename @skip(if: $b) }",
      { b: null },
      "`if` of `@skip` must be of type `Boolean!`, but `$b` is null or missing.",
    ],
  ])("%s %j", async (query, variables, message) => {
    expect(await messagesOf(query, variables)).toEqual([message]);
  });

  it("at most five errors", async () => {
    const input = { call: Array(100).fill({ user: [] }) };
    expect(await messagesOf(ofInput, { input })).toHaveLength(5);
  });
});
