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
  if (!operation) throw new Error(`The document must have exactly one operation: ${text}`);
  return operationCost(schema, document, operation, coerceVariables(schema, operation, { variables }));
}

type Case = [cost: number, query: string, variables: Record<string, unknown>];

describe("An operation costs 1 unit per selected field and row, and 5 per upstream request:", () => {
  it.each<Case>([
    [1, "{ __typename }", {}],
    [7, '{ sipEndpoint(username: "alice") { type } }', {}],
    [14, '{ a: sipEndpoint(username: "a") { type } b: sipEndpoint(username: "b") { type } }', {}],
    [82, "{ sipEndpoints(first: 100) { totalCount } }", {}],
    [87, "{ sipEndpoints(first: 100, offset: 5) { totalCount } }", {}],
    [97, '{ sipEndpoints(first: 100, after: "x") { totalCount } }', {}],
    [22, "{ sipEndpoints { nodes { username } } }", {}],
    [213, "{ sipEndpoints(first: 25) { totalCount nodes { username type } } }", {}],
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
    [
      14,
      'mutation { updateSipEndpoint(input: { username: "a", password: "made-up-9" }) { sipEndpoint { username type } } }',
      {},
    ],
    [102, "{ _service { sdl } }", {}],
    [0, "subscription { nothing }", {}],
    [1, "{ nothing { at all } }", {}],
    [1, "{ ...Nothing ... on Nothing { a b } __typename }", {}],
  ])("%i for %s %j", (expected, query, variables) => {
    expect(cost(query, variables)).toBe(expected);
  });
});

describe("The cost counts the rows of", () => {
  const by = (declared: string) =>
    `query (${declared}) { sipEndpoints(first: $first) { nodes { username } } }`;
  const entities =
    "query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { username type } } }";

  it.each<[string, ...Case]>([
    ["a literal", 57, "{ sipEndpoints(first: 30) { nodes { username } } }", {}],
    ["a variable", 57, by("$first: Int!"), { first: 30 }],
    ["the default of a variable", 57, by("$first: Int! = 30"), {}],
    ["a variable that overrides its default", 17, by("$first: Int! = 30"), { first: 5 }],
    ["the default of the argument, without a variable", 22, by("$first: Int"), {}],
    ["a page of 100 at most", 182, by("$first: Int!"), { first: 1_000_000 }],
    ["an empty page at least", 7, by("$first: Int!"), { first: -1_000_000 }],
    ["references of a router", 22, entities, { of: [{}, {}, {}] }],
    ["no references", 1, entities, { of: [] }],
    ["no page, with an invalid variable", 0, by("$first: Int!"), { first: "many" }],
  ])("%s: %i", (_, expected, query, variables) => {
    expect(cost(query, variables)).toBe(expected);
  });
});

describe("A mutation of many endpoints", () => {
  const problems = "userErrors { __typename code message path }";
  const failure = "error { __typename code message retryable }";
  const endpoint = "sipEndpoint { __typename id username connectUrl sipUri audio video type password }";
  const results = `results { __typename username ${endpoint} password ${problems} ${failure} }`;
  const everything = `{ __typename ${results} created existing failed ${problems} }`;
  const create = (items: string, selection = everything) =>
    `createSipEndpoints(input: { items: ${items} }) ${selection}`;
  const remove = (names: string) =>
    `removeSipEndpoints(input: { usernames: ${names} }) { results { username removedId ${problems} ${failure} } removed missing failed ${problems} }`;
  const list = (count: number) =>
    `[${times(count, (index) => `{ username: "user-${index}", password: "made-up-9" }`)}]`;
  const items = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ username: `user-${index}` }));
  const variable = "mutation ($items: [CreateSipEndpointsItem!]!)";

  it.each<[string, ...Case]>([
    ["no items", 1, `mutation { ${create("[]")} }`, {}],
    ["one item that is not in a list", 2, `mutation { ${create('{ username: "a" }')} }`, {}],
    ["200 literals", 201, `mutation { ${create(list(200))} }`, {}],
    ["a variable", 201, `${variable} { ${create("$items")} }`, { items: items(200) }],
    [
      "the default of a variable",
      3,
      `mutation ($items: [CreateSipEndpointsItem!]! = ${list(2)}) { ${create("$items")} }`,
      {},
    ],
    [
      "a variable for the whole input",
      4,
      `mutation ($input: CreateSipEndpointsInput!) { createSipEndpoints(input: $input) ${everything} }`,
      { input: { items: items(3) } },
    ],
    [
      "a selection of one field",
      201,
      `${variable} { ${create("$items", "{ created }")} }`,
      { items: items(200) },
    ],
    [
      "a selection in fragments",
      201,
      `${variable} { ${create("$items", "{ ...All }")} } fragment All on CreateSipEndpointsPayload ${everything}`,
      { items: items(200) },
    ],
    ["201 items, which are rejected", 202, `${variable} { ${create("$items")} }`, { items: items(201) }],
    ["a longer list, which is rejected", 1001, `${variable} { ${create("$items")} }`, { items: items(1000) }],
    [
      "two aliased mutations",
      203,
      `${variable} { one: ${create("$items")} two: ${remove('["a"]')} }`,
      { items: items(200) },
    ],
    ["usernames to remove", 4, `mutation { ${remove('["a", "b", "c"]')} }`, {}],
    [
      "a dry run",
      3,
      'mutation { removeSipEndpoints(input: { usernames: ["a", "b"], dryRun: true }) { removed } }',
      {},
    ],
  ])("costs 1 and 1 per item with %s: %i", (_, expected, query, variables) => {
    expect(cost(query, variables)).toBe(expected);
  });

  it("costs 1 more per item for each field beyond 40 per item, which only aliases can reach", () => {
    const names = (count: number) => times(count, (index) => `n${index}: username`);
    const query = (count: number) => `${variable} { ${create("$items", `{ results { ${names(count)} } }`)} }`;
    expect(cost(query(39), { items: items(200) })).toBe(201);
    expect(cost(query(41), { items: items(200) })).toBe(201 + 201);
    expect(cost(query(60), { items: items(200) })).toBe(201 + 1 + 20 * 200);
  });
});

describe("The cost of an operation", () => {
  it("is the same with and without fragments", () => {
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

  it("never decreases when a field is added", () => {
    fc.assert(
      fc.property(anyQuery, fc.nat(), fc.nat(), (fields, where, which) => {
        const more = withField(fields, where, which);
        expect(cost(inline(more))).toBeGreaterThanOrEqual(cost(inline(fields)));
      }),
    );
  });

  it("is computed immediately for fragments that expand to a billion fields", () => {
    const doubling = times(
      30,
      (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
    );
    expect(cost(`{ ...F0 } ${doubling} fragment F30 on Query { __typename }`)).toBe(2 ** 30);
  });
});
