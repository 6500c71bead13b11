import fc from "fast-check";
import { type Bytes, request } from "../support/http/raw-http.js";

/** Returns a request that is valid HTTP, with any query and variables. */
export const graphqlRequest = (query: unknown, variables?: unknown) =>
  request(JSON.stringify({ query, variables }));
const parametrizedQueries = [
  "query ($v: ID!) { sipEndpoint(username: $v) { type } }",
  "query ($v: Int!) { sipEndpoints(first: $v) { nodes { username } } }",
  "query ($v: String) { sipEndpoints(after: $v) { totalCount } }",
  "query ($v: Int) { sipEndpoints(offset: $v) { totalCount } }",
  "query ($v: ConnectActionInput!) { connectAction(input: $v) { pcmo userErrors { message path } } }",
  "query ($v: [ConnectTargetInput!]!) { connectAction(input: { call: $v }) { pcmo } }",
  "mutation ($v: CreateSipEndpointInput!) { createSipEndpoint(input: $v) { userErrors { message } } }",
  "mutation ($v: UpdateSipEndpointInput!) { updateSipEndpoint(input: $v) { userErrors { message } } }",
  "query ($v: [_Any!]!) { _entities(representations: $v) { ... on SipEndpoint { username type } } }",
];
const documents = [
  "query A { sipEndpoints ( first: 1 ) { totalCount nodes { username type } } }",
  'query A { sipEndpoint ( username: "alice" ) { ...F } } fragment F on SipEndpoint { username }',
  "query A ( $v : Int = 1 ) { sipEndpoints ( first: $v ) @skip ( if: false ) { totalCount } }",
  'mutation A { removeSipEndpoint ( input: { username: "nobody" } ) { username userErrors { code } } }',
];
const words = [
  ..."{}()[]:=!$@|&".split(""),
  ...[
    "...",
    "...F",
    "on",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "username",
    "b:",
    "__typename",
    "$v",
  ],
  ...['"alice"', '"""', '"', "1", "-1e999", "null", "true", "@skip(if: true)", "#", "\\u0000", "\ufeff", "é"],
];

const text = fc.string({ unit: "binary", maxLength: 40 });
const anything = fc.jsonValue({ maxDepth: 4 });
const shaped = fc.dictionary(
  fc.constantFrom(
    "username",
    "password",
    "call",
    "from",
    "user",
    "type",
    "timeout",
    "__typename",
    "__proto__",
  ),
  fc.oneof(anything, text, fc.constant("SipEndpoint"), fc.array(fc.record({ user: anything }))),
);
const depths = fc.integer({ min: 1, max: 45_000 });
const nest = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

/** Invalid requests that are valid HTTP. Each one gets a response. */
export const wholeRequests: Record<string, fc.Arbitrary<Bytes>> = {
  "requests whose body is not JSON": fc.oneof(
    text.map((body) => request(body)),
    fc.tuple(anything, fc.nat()).map(([value, at]) => {
      const json = JSON.stringify({ query: "{ __typename }", variables: { value } });
      return request(json.slice(0, at % json.length));
    }),
  ),
  "requests whose body is any JSON": fc.oneof(anything, shaped).map((body) => request(JSON.stringify(body))),
  "requests whose members are any JSON": fc
    .record(
      {
        query: fc.oneof(anything, fc.constantFrom("{ __typename }", "query A { __typename }")),
        variables: anything,
        operationName: fc.oneof(anything, fc.constant("A")),
        extensions: fc.oneof(anything, fc.record({ persistedQuery: anything })),
        http: anything,
      },
      { requiredKeys: [] },
    )
    .map((body) => request(JSON.stringify(body))),
  "requests whose variables are any JSON": fc
    .tuple(fc.constantFrom(...parametrizedQueries), fc.oneof(anything, shaped, fc.array(shaped), text))
    .map(([query, v]) => graphqlRequest(query, { v })),
  "requests with deep JSON": fc
    .tuple(depths, fc.constantFrom(...parametrizedQueries), fc.nat(3))
    .map(([depth, query, how]) => {
      const deep = [
        nest("[", "]", depth),
        `${'{"a":'.repeat(depth / 6)}1${"}".repeat(depth / 6)}`,
        `[{"__typename":"SipEndpoint","username":${nest("[", "]", depth)}}]`,
        "[".repeat(depth),
      ][how];
      return request(`{"query":${JSON.stringify(query)},"variables":{"v":${deep}}}`);
    }),
  "requests with deep GraphQL": fc
    .tuple(fc.integer({ min: 1, max: 990 }), fc.nat(6))
    .map(([depth, how]) =>
      graphqlRequest(
        [
          nest("{a", "}", depth),
          "{a".repeat(depth),
          `{${nest("...{", "}", depth).replace("{}", "{a}")}}`,
          `{sipEndpoint(username:${nest("[", "]", depth)}){type}}`,
          `{sipEndpoint(username:${"{a:".repeat(depth / 2)}1${"}".repeat(depth / 2)}){type}}`,
          `query($v:${nest("[", "]", depth).replace("[]", "[ID]")}){__typename}`,
          `{_entities(representations:[{__typename:"SipEndpoint",username:${nest("[", "]", depth)}}]){__typename}}`,
        ][how],
      ),
    ),
  "requests with huge texts": fc
    .tuple(fc.integer({ min: 10, max: 120_000 }), fc.nat(5))
    .map(([length, how]) => {
      const long = "x".repeat(length);
      const number = "9".repeat(length);
      return [
        graphqlRequest(`{ ${long} }`),
        graphqlRequest(`{ sipEndpoint(username: "${long}") { type } }`),
        graphqlRequest(`{ sipEndpoints(first: ${number}) { totalCount } }`),
        graphqlRequest(parametrizedQueries[0], { v: long }),
        graphqlRequest(parametrizedQueries[2], { v: long }),
        request(`{"query":"{ __typename }","variables":{"v":${number}}}`),
      ][how] as Bytes;
    }),
  "requests with some changed words of GraphQL": fc
    .tuple(
      fc.constantFrom(...documents),
      fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...words)), { minLength: 1, maxLength: 3 }),
    )
    .map(([document, changes]) => {
      const changed = document.split(" ");
      for (const [at, removed, word] of changes) changed.splice(at % changed.length, removed, word);
      return graphqlRequest(changed.join(" "));
    }),
};
