import fc from "fast-check";
import { type Bytes, request } from "../support/http/raw-http.js";
import { graphqlRequest } from "./bad-requests.js";

const good = [
  graphqlRequest("{ sipEndpoints(first: 1) { totalCount nodes { username type } } }"),
  graphqlRequest("query ($u: ID!) { sipEndpoint(username: $u) { sipUri } }", { u: "alice" }),
  graphqlRequest(
    'mutation { updateSipEndpoint(input: { username: "bob", password: "made-up-1" }) { password } }',
  ),
  request("", { "apollo-require-preflight": "1" }, "GET /graphql?query=%7B__typename%7D"),
];

/** Requests that may be invalid HTTP. Some get no response. */
export const brokenRequests: Record<string, fc.Arbitrary<Bytes>> = {
  "valid requests with some changed bytes": fc
    .tuple(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    )
    .map(([bytes, changes]) => {
      const changed = Buffer.from(bytes, "latin1");
      for (const [at, byte] of changes) changed[at % changed.length] = byte;
      return changed.toString("latin1");
    }),
  "valid requests that are cut off": fc
    .tuple(fc.constantFrom(...good), fc.nat())
    .map(([bytes, at]) => bytes.slice(0, at % bytes.length)),
};
