import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { production } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: production });
});
afterAll(() => gateway.close());
afterEach(() => gateway.reset());

const entities = `query ($of: [_Any!]!) {
  _entities(representations: $of) { ... on SipEndpoint { username type } }
}`;
const __typename = "SipEndpoint";

describe("An invalid reference is rejected without an upstream request or an internal error:", () => {
  it.each<[unknown]>([
    [true],
    ["alice"],
    [[]],
    [{}],
    [{ username: "alice" }],
    [{ __typename: "Nothing", username: "alice" }],
    [{ __typename: "SipUserError", username: "alice" }],
    [{ __typename: [__typename], username: "alice" }],
    [{ __typename: [[__typename]], username: "alice" }],
    [{ __typename: { toString: __typename }, username: "alice" }],
    [[{ __typename, username: "alice" }]],
    [null],
    [{ __typename }],
    [{ __typename, username: null }],
    [{ __typename, username: "" }],
    [{ __typename, username: true }],
    [{ __typename, username: ["alice"] }],
    [{ __typename, username: { $ne: null } }],
  ])("%j", async (reference) => {
    const logged = gateway.log.length;
    const { data, errors } = await gateway.execute<{ _entities: unknown[] } | null>(entities, {
      of: [reference],
    });
    expect(data?._entities ?? [null]).toEqual([null]);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["BAD_USER_INPUT"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect(gateway.log.slice(logged).filter((line) => line.includes("masked"))).toEqual([]);
  });

  it("a username that is a very deep list", async () => {
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    const variables = `{"of":[{"__typename":"SipEndpoint","username":${deep}}]}`;
    const response = await fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"query":${JSON.stringify(entities)},"variables":${variables}}`,
    });
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: "BAD_REQUEST", limit: "JSON_DEPTH" } }],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
