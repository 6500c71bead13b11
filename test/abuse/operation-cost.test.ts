import "reflect-metadata";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { getOperationAST, parse } from "graphql";
import { operationCost } from "../../src/graphql/plugins/demand-control.js";
import { coerceVariables } from "../../src/graphql/plugins/variables.js";
import { buildGatewaySchema } from "../../src/graphql/schema.js";
import { times } from "./production.js";
import { anyQuery, inFragments, inInlineFragments, inline, withField } from "./query-tree.js";

const schema = buildGatewaySchema();

function cost(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = getOperationAST(document, undefined);
  if (!operation) throw new Error(`This is not one operation: ${text}`);
  return operationCost(schema, document, operation, coerceVariables(schema, operation, { variables }));
}

type Case = [cost: number, query: string, variables: Record<string, unknown>];

describe("An operation costs 1 a selected field, times the rows inside a list, and 5 an upstream request:", () => {
  it.each<Case>([
    [1, "{ __typename }", {}],
    [7, '{ sipEndpoint(username: "alice") { type } }', {}],
    [14, '{ a: sipEndpoint(username: "a") { type } b: sipEndpoint(username: "b") { type } }', {}],
    [82, "{ sipEndpoints(first: 100) { totalCount } }", {}],
    [87, "{ sipEndpoints(first: 100, offset: 5) { totalCount } }", {}],
    [97, '{ sipEndpoints(first: 100, after: "x") { totalCount } }', {}],
    [22, "{ sipEndpoints { nodes { username } } }", {}],
    [203, "{ sipEndpoints(first: 25) { totalCount nodes { username type } } }", {}],
    [18, "{ sipEndpoints(first: 2) { edges { cursor node { username } } } }", {}],
    [30, "{ sipEndpoints(first: 2) { edges { cursor node { username ... { type } } } } }", {}],
    [14, "{ sipEndpoints(first: 7) { pageInfo { hasNextPage endCursor } } }", {}],
    [4, '{ connectAction(input: { call: [{ user: "a" }] }) { pcmo userErrors { code } } }', {}],
    [
      14,
      '{ connectAction(verify: true, input: { call: [{ user: "a" }, { user: "b" }] }) { pcmo userErrors { code } } }',
      {},
    ],
    [9, 'mutation { removeSipEndpoint(input: { username: "a" }) { username userErrors { code } } }', {}],
    [14, 'mutation { updateSipEndpoint(input: { username: "a" }) { sipEndpoint { username type } } }', {}],
    [102, "{ _service { sdl } }", {}],
    [0, "subscription { nothing }", {}],
    [1, "{ nothing { at all } }", {}],
    [1, "{ ...Nothing ... on Nothing { a b } __typename }", {}],
  ])("%i for %s %j", (expected, query, variables) => {
    expect(cost(query, variables)).toBe(expected);
  });
});

describe("The rows of a list are those that", () => {
  const by = (declared: string) =>
    `query (${declared}) { sipEndpoints(first: $first) { nodes { username } } }`;
  const entities =
    "query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { username type } } }";

  it.each<[string, ...Case]>([
    ["a literal asks for", 57, "{ sipEndpoints(first: 30) { nodes { username } } }", {}],
    ["a variable asks for", 57, by("$first: Int!"), { first: 30 }],
    ["a variable's default asks for", 57, by("$first: Int! = 30"), {}],
    ["a variable asks for in place of its default", 17, by("$first: Int! = 30"), { first: 5 }],
    ["the argument's default asks for where a variable is left out", 22, by("$first: Int"), {}],
    ["are given at most", 182, by("$first: Int!"), { first: 1_000_000 }],
    ["cannot be fewer than none", 7, by("$first: Int!"), { first: -1_000_000 }],
    ["a router asks for", 22, entities, { of: [{}, {}, {}] }],
    ["a router asks for when it asks for none", 1, entities, { of: [] }],
    ["nobody asks for with a wrong variable", 0, by("$first: Int!"), { first: "many" }],
  ])("%s: %i", (_, expected, query, variables) => {
    expect(cost(query, variables)).toBe(expected);
  });
});

describe("The cost of an operation", () => {
  it("is the same however it is written", () => {
    fc.assert(
      fc.property(anyQuery, (fields) => {
        const expected = cost(inline(fields));
        expect(cost(inFragments(fields))).toBe(expected);
        expect(cost(inInlineFragments(fields))).toBe(expected);
      }),
    );
  });

  it("is the same whether `first` is a literal, a variable or a variable's default", () => {
    const rows = fc.integer({ min: -5, max: 200 });
    fc.assert(
      fc.property(rows, fc.subarray(["username", "type", "video"], { minLength: 1 }), (first, names) => {
        const list = `{ totalCount nodes { ${names.join(" ")} } }`;
        const expected = cost(`{ sipEndpoints(first: ${first}) ${list} }`);
        const rest = `{ sipEndpoints(first: $first) ${list} }`;
        expect(cost(`query ($first: Int!) ${rest}`, { first })).toBe(expected);
        expect(cost(`query ($first: Int! = ${first}) ${rest}`)).toBe(expected);
      }),
    );
  });

  it("never falls when a field comes to it", () => {
    fc.assert(
      fc.property(anyQuery, fc.nat(), fc.nat(), (fields, where, which) => {
        const more = withField(fields, where, which);
        expect(cost(inline(more))).toBeGreaterThanOrEqual(cost(inline(fields)));
      }),
    );
  });

  it("is known at once for fragments that come to a billion fields", () => {
    const doubling = times(
      30,
      (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
    );
    expect(cost(`{ ...F0 } ${doubling} fragment F30 on Query { __typename }`)).toBe(2 ** 30);
  });
});
