import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { RemoveSipEndpointDocument, SipEndpointDocument } from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Mutation.removeSipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice" }, { username: "bob" }] }));

  it("removes an endpoint with one remove_sip, and returns its username and id", async () => {
    const { data, errors } = await gateway.execute(RemoveSipEndpointDocument, {
      input: { username: "alice" },
    });
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      removeSipEndpoint: { removedId: idOf("alice"), username: "alice", userErrors: [] },
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "remove_sip", username: "alice" }]);
    const gone = await gateway.execute(SipEndpointDocument, { username: "alice" });
    const other = await gateway.execute(SipEndpointDocument, { username: "bob" });
    expect([gone.data.sipEndpoint, other.data.sipEndpoint?.username]).toEqual([null, "bob"]);
  });

  it("returns SIP_ENDPOINT_NOT_FOUND for an unknown username", async () => {
    const { data, errors } = await gateway.execute(RemoveSipEndpointDocument, {
      input: { username: "nobody" },
    });
    expect(errors).toBeUndefined();
    expect(data.removeSipEndpoint).toEqual({
      removedId: null,
      username: null,
      userErrors: [
        {
          code: "SIP_ENDPOINT_NOT_FOUND",
          message: 'PIOPIY has no SIP endpoint "nobody".',
          path: ["username"],
        },
      ],
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "remove_sip", username: "nobody" }]);
  });

  it("returns SIP_ENDPOINT_NOT_FOUND for the second of two removals", async () => {
    const input = { username: "alice" };
    await gateway.execute(RemoveSipEndpointDocument, { input });
    const { data } = await gateway.execute(RemoveSipEndpointDocument, { input });
    expect(data.removeSipEndpoint.userErrors).toMatchObject([{ code: "SIP_ENDPOINT_NOT_FOUND" }]);
  });

  it("returns the username when only PIOPIY's response is lost", async () => {
    await gateway.addFault({ operation: "remove_sip", kind: "lose-reply" });
    const { data, errors } = await gateway.execute(RemoveSipEndpointDocument, {
      input: { username: "alice" },
    });
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      removeSipEndpoint: { removedId: idOf("alice"), username: "alice", userErrors: [] },
    });
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual([
      "remove_sip",
      "get_sip",
    ]);
  });
});
