import fc from "fast-check";
import { type Bytes, request } from "../support/http/raw-http.js";
import { canaries } from "../support/upstream/canaries.js";

/**
 * A secret value. The requests follow the grammar of GraphQL and of this schema, so that the parser accepts them. Every value except
 * the username of an endpoint may contain it.
 */
export const CANARY = canaries.password;
/** Length of a long value in characters. */
const LONG = 20_000;

const nasty = fc.constantFrom(
  CANARY,
  `${CANARY}${"x".repeat(LONG)}`,
  `"; Did you mean ${CANARY}?`,
  `${CANARY} got invalid value `.repeat(50),
  `Error: ${CANARY}\n    at ${CANARY} (${CANARY}:1:1)`,
);
const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    nasty,
    fc.constantFrom(null, true, 0, -1, 1e308, 2 ** 53, 0.5),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom("username", "password", "call", "user", "type", "from", "__typename"), nasty),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

/** Generates a value as GraphQL text. */
const literal: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    nasty.map((text) => JSON.stringify(text)),
    nasty.map((text) => `"""${text.replaceAll('"', "'")}"""`),
    fc.constantFrom("null", "true", "1", "-1.5e300", "999999999999999999999", "SIP", "WRONG", "$v", "$w"),
    fc.array(tie("value"), { maxLength: 3 }).map((values) => `[${values.join(" ")}]`),
    fc
      .array(fc.tuple(fc.constantFrom("username", "password", "call", "user", "type", "odd"), tie("value")), {
        maxLength: 3,
      })
      .map((fields) => `{ ${fields.map(([name, value]) => `${name}: ${value}`).join(" ")} }`),
  ),
})).value;

const directive = fc.oneof(
  fc.constantFrom("", "", "", "@skip(if: false)", "@odd", "@include"),
  literal.map((value) => `@skip(if: ${value})`),
);
const field = fc
  .tuple(
    fc.constantFrom("", "", "a: ", "b: "),
    fc.constantFrom(
      ["sipEndpoint", "username", "{ username sipUri password }"],
      ["sipEndpoints", "first", "{ totalCount nodes { username type } }"],
      ["sipEndpoints", "after", "{ totalCount }"],
      ["connectAction", "input", "{ pcmo summary userErrors { message path } }"],
      ["connectAction", "verify", "{ pcmo }"],
      ["validatePcmo", "pcmo", "{ valid problems { message } normalized }"],
      ["_entities", "representations", "{ ... on SipEndpoint { username type password } }"],
      ["createSipEndpoint", "input", "{ userErrors { message } password }"],
      ["updateSipEndpoint", "input", "{ userErrors { message } password }"],
      ["odd", "odd", ""],
    ),
    fc.option(literal),
    directive,
    fc.constantFrom("", "", "...F ", "... on Query "),
  )
  .map(([alias, [name, argument, below], value, applied, spread]) => {
    const given = value === null ? "" : `(${argument}: ${value})`;
    const text = `${alias}${name}${given} ${applied} ${below}`;
    return spread === "... on Query " ? `${spread}{ ${text} }` : `${spread}${text}`;
  });
const definition = fc
  .tuple(
    fc.constantFrom(
      "ID!",
      "ID",
      "Int",
      "String",
      "PCMO",
      "[_Any!]!",
      "ConnectActionInput!",
      "Boolean",
      "Odd",
    ),
    fc.option(literal),
    directive,
  )
  .map(([type, value, applied]) => `$v: ${type}${value === null ? "" : ` = ${value}`} ${applied}`);
const documents = fc
  .tuple(
    fc.constantFrom("query", "mutation", "subscription", "query Q"),
    fc.option(definition),
    fc.array(field, { minLength: 1, maxLength: 4 }),
    fc.constantFrom("", " fragment F on Query { __typename }", " fragment F on SipEndpoint { ...F }"),
    nasty,
  )
  .map(
    ([kind, defined, fields, fragment, comment]) =>
      `${kind}${defined === null ? "" : `(${defined})`} { ${fields.join(" ")} }${fragment} #${comment.replaceAll("\n", " ")}`,
  );

const representations = fc.array(
  fc.record(
    {
      __typename: fc.oneof(
        fc.constantFrom<unknown>("SipEndpoint", ["SipEndpoint"], { toString: "SipEndpoint" }),
        json,
      ),
      username: fc.oneof(fc.constantFrom("alice", "nobody"), json),
      password: json,
    },
    { requiredKeys: [] },
  ),
  { maxLength: 5 },
);

const oneLine = nasty.map((text) => text.replaceAll(/[\r\n]/g, " ").slice(0, 3000));
const headers = fc.record(
  {
    "content-type": fc.constantFrom("application/json", "application/json; charset=utf-8", "text/plain"),
    accept: fc.oneof(fc.constantFrom("*/*", "application/graphql-response+json", "text/html"), oneLine),
    "x-request-id": oneLine,
    "x-forwarded-for": oneLine,
    origin: oneLine,
    cookie: oneLine,
    authorization: oneLine.map((text) => `Bearer ${text}`),
    "apollo-require-preflight": oneLine,
    "graphql-require-preflight": oneLine,
    "user-agent": oneLine,
  },
  { requiredKeys: ["content-type"] },
);

const posted = (body: unknown, more: Record<string, string> = { "content-type": "application/json" }) =>
  request(JSON.stringify(body), more);
const ENTITIES =
  "query ($v: [_Any!]!) { _entities(representations: $v) { ... on SipEndpoint { username type password } } }";

/** Generated requests for each part of the grammar. */
export const grammarRequests: Record<string, fc.Arbitrary<Bytes>> = {
  documents: fc.tuple(documents, json).map(([query, v]) => posted({ query, variables: { v } })),
  variables: fc
    .tuple(
      fc.constantFrom(
        "query ($v: ConnectActionInput!) { connectAction(input: $v) { pcmo userErrors { message } } }",
        "query ($v: [ID!]!) { __typename sipEndpoint(username: $v) { username } }",
        "query ($v: Int!) { sipEndpoints(first: $v) { totalCount } }",
        "query ($v: PCMO!) { validatePcmo(pcmo: $v) { valid problems { pointer } } }",
        "mutation ($v: UpdateSipEndpointInput!) { updateSipEndpoint(input: $v) { userErrors { code } } }",
      ),
      json,
      fc.dictionary(nasty, json, { maxKeys: 2 }),
    )
    .map(([query, v, others]) => posted({ query, variables: { ...others, v } })),
  representations: fc.oneof(representations, json).map((v) => posted({ query: ENTITIES, variables: { v } })),
  headers: headers.map((more) => posted({ query: "{ sipEndpoint(username: 1) { type } }" }, more)),
  "other members": fc
    .record(
      {
        query: fc.constantFrom("{ __typename }", "query Q { __typename }"),
        operationName: fc.oneof(nasty, json),
        documentId: fc.oneof(nasty, json),
        variables: json,
        extensions: fc.oneof(
          json,
          fc.record({ persistedQuery: fc.record({ version: json, sha256Hash: json }) }),
        ),
      },
      { requiredKeys: [] },
    )
    .map((body) => posted(body)),
  "URLs of GET": fc
    .record({ query: documents, variables: json.map((value) => JSON.stringify(value)), operationName: nasty })
    .map((parameters) =>
      request(
        "",
        { "graphql-require-preflight": "1" },
        `GET /graphql?${new URLSearchParams(parameters).toString().slice(0, 12_000)}`,
      ),
    ),
};
