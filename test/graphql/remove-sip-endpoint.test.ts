import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { RemoveSipEndpointDocument, SipEndpointDocument } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Mutation.removeSipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice" }, { username: "bob" }] }));

  it("removes an endpoint and answers its name, from one remove_sip", async () => {
    const { data, errors } = await gateway.ask(RemoveSipEndpointDocument, { input: { username: "alice" } });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ removeSipEndpoint: { username: "alice", userErrors: [] } });
    expect(await gateway.calls()).toMatchObject([{ operation: "remove_sip", username: "alice" }]);
    const gone = await gateway.ask(SipEndpointDocument, { username: "alice" });
    const other = await gateway.ask(SipEndpointDocument, { username: "bob" });
    expect([gone.data.sipEndpoint, other.data.sipEndpoint?.username]).toEqual([null, "bob"]);
  });

  it("tells that PIOPIY has no endpoint of a name", async () => {
    const { data, errors } = await gateway.ask(RemoveSipEndpointDocument, { input: { username: "nobody" } });
    expect(errors).toBeUndefined();
    expect(data.removeSipEndpoint).toEqual({
      username: null,
      userErrors: [
        {
          code: "SIP_ENDPOINT_NOT_FOUND",
          message: 'PIOPIY has no SIP endpoint "nobody".',
          path: ["username"],
        },
      ],
    });
    expect(await gateway.calls()).toMatchObject([{ operation: "remove_sip", username: "nobody" }]);
  });

  it("tells the second of two removals that the endpoint is gone", async () => {
    const input = { username: "alice" };
    await gateway.ask(RemoveSipEndpointDocument, { input });
    const { data } = await gateway.ask(RemoveSipEndpointDocument, { input });
    expect(data.removeSipEndpoint.userErrors).toMatchObject([{ code: "SIP_ENDPOINT_NOT_FOUND" }]);
  });

  it("answers the name when only PIOPIY's answer is lost", async () => {
    await gateway.fail({ operation: "remove_sip", kind: "lose-reply" });
    const { data, errors } = await gateway.ask(RemoveSipEndpointDocument, { input: { username: "alice" } });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ removeSipEndpoint: { username: "alice", userErrors: [] } });
    expect((await gateway.calls()).map(({ operation }) => operation)).toEqual(["remove_sip", "get_sip"]);
  });
});
