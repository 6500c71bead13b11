import { type Bytes, request } from "../support/http/raw-http.js";
import { canaries } from "../support/upstream/canaries.js";
import type { SeededRandom } from "./seeded-random.js";

const CANARY = canaries.password;

/** Attacks that were measured on this gateway, one request each. The credential belongs to a client that may read and write. */
export const attacks: Record<string, (random: SeededRandom, credential: string) => Bytes> = {
  "variable errors that repeat one long text": (_, credential) => {
    const names = Array.from({ length: 50 }, (_unused, index) => `v${index}`);
    return posted(credential, {
      query: `query (${names.map((name) => `$${name}: Int`).join(" ")}) { __typename }`,
      variables: Object.fromEntries(names.map((name) => [name, `${CANARY} got invalid value`.repeat(45)])),
    });
  },
  "a document with a long comment": (random, credential) =>
    posted(credential, { query: `{ __typename } # ${random.next()} ${"x".repeat(90_000)}` }),
  "a name of 90 kB": (random, credential) =>
    posted(credential, {
      query: "mutation ($u: ID!) { removeSipEndpoint(input: { username: $u }) { userErrors { code } } }",
      variables: { u: `${random.next()}${"x".repeat(90_000)}` },
    }),
  "64 times one large PCMO document": (_, credential) =>
    posted(credential, {
      query: `query ($p: PCMO!) { ${Array.from({ length: 64 }, (_unused, index) => `a${index}: validatePcmo(pcmo: $p) { valid }`).join(" ")} }`,
      variables: { p: Array.from({ length: 4000 }, () => ({ action: "plai" })) },
    }),
  "100 targets to verify": (random, credential) =>
    posted(credential, {
      query: "query ($i: ConnectActionInput!) { connectAction(input: $i, verify: true) { summary } }",
      variables: {
        i: {
          call: Array.from({ length: 100 }, (_unused, index) => ({ user: `u${random.next()}-${index}` })),
        },
      },
    }),
  "a representation whose type is a list": (_, credential) =>
    posted(credential, {
      query: "query ($r: [_Any!]!) { _entities(representations: $r) { ... on SipEndpoint { username } } }",
      variables: { r: [{ __typename: ["SipEndpoint"], username: "alice", password: CANARY }] },
    }),
  "JSON of 6,000 levels": (_, credential) =>
    request(
      `{"query":"{ __typename }","variables":{"v":${"[".repeat(6000)}${"]".repeat(6000)}}}`,
      head(credential),
    ),
  "introspection 60 times": (_, credential) =>
    posted(credential, {
      query: `{ ${Array.from({ length: 60 }, (_unused, index) => `a${index}: __schema { types { name fields { name args { name type { name } } } } }`).join(" ")} }`,
    }),
  "an invalid credential": (random) => posted(`${CANARY}-${random.next()}`, { query: "{ __typename }" }),
  "no credential": () => request('{"query":"{ __typename }"}'),
  "a forged cursor": (_, credential) =>
    posted(credential, {
      query: "query ($a: String) { sipEndpoints(first: 1, after: $a) { totalCount } }",
      variables: { a: Buffer.from("sip1:999999999:AAAAAAAA:AAAAAAAA").toString("base64url") },
    }),
  "an invalid address": (_, credential) =>
    request('{"query":"{ __typename }"}', {
      ...head(credential),
      "x-forwarded-for": `${CANARY}${"x".repeat(8000)}`,
    }),
};

function posted(credential: string, body: object): Bytes {
  return request(JSON.stringify(body), head(credential));
}

function head(credential: string): Record<string, string> {
  return {
    "content-type": "application/json",
    authorization: `Bearer ${credential.replaceAll(/[^\w.-]/g, "")}`,
  };
}
