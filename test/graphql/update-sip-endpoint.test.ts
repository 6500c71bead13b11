import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SipEndpointDocument, UpdateSipEndpointDocument } from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Mutation.updateSipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() =>
    gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1", video: false }] }),
  );

  async function passwordOf(username: string): Promise<string | null | undefined> {
    const { data } = await gateway.execute(SipEndpointDocument, { username });
    return data.sipEndpoint?.password;
  }

  it("sets the password of the input", async () => {
    const input = { username: "alice", password: "made-up-2" };
    const { data, errors } = await gateway.execute(UpdateSipEndpointDocument, { input });
    expect(errors).toBeUndefined();
    expect(data.updateSipEndpoint).toEqual({
      sipEndpoint: { id: idOf("alice"), username: "alice", sipUri: "sip:alice@sbc.emulator.example" },
      password: "made-up-2",
      userErrors: [],
    });
    expect(await passwordOf("alice")).toBe("made-up-2");
  });

  it.each([
    ["nothing", '{ username: "alice" }', "GRAPHQL_VALIDATION_FAILED"],
    ["null", '{ username: "alice", password: null }', "GRAPHQL_VALIDATION_FAILED"],
  ])("changes nothing when the password is %s", async (_, input, code) => {
    const { errors } = await gateway.execute(`mutation { updateSipEndpoint(input: ${input}) { password } }`);
    expect(errors).toMatchObject([{ extensions: { code } }]);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect(await passwordOf("alice")).toBe("made-up-1");
  });

  it("returns all fields of the endpoint from one update_sip and one get_sip", async () => {
    const { data, errors } = await gateway.execute(
      `mutation {
        updateSipEndpoint(input: { username: "alice", password: "made-up-2" }) {
          sipEndpoint { username password connectUrl sipUri audio video type }
        }
      }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      updateSipEndpoint: {
        sipEndpoint: {
          username: "alice",
          password: "made-up-2",
          connectUrl: "sbc.emulator.example",
          sipUri: "sip:alice@sbc.emulator.example",
          audio: true,
          video: false,
          type: "SIP",
        },
      },
    });
    expect(await gateway.upstreamRequests()).toMatchObject([
      { operation: "update_sip", username: "alice" },
      { operation: "get_sip", username: "alice" },
    ]);
  });

  it("sends no further upstream request for the username and the password", async () => {
    const { errors } = await gateway.execute(
      `mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { password sipEndpoint { username password } } }`,
    );
    expect(errors).toBeUndefined();
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "update_sip" }]);
  });

  it("returns SIP_ENDPOINT_NOT_FOUND for an unknown username, and creates nothing", async () => {
    const { data, errors } = await gateway.execute(UpdateSipEndpointDocument, {
      input: { username: "nobody", password: "made-up-2" },
    });
    expect(errors).toBeUndefined();
    expect(data.updateSipEndpoint).toEqual({
      sipEndpoint: null,
      password: null,
      userErrors: [
        {
          code: "SIP_ENDPOINT_NOT_FOUND",
          message: 'PIOPIY has no SIP endpoint "nobody".',
          path: ["username"],
        },
      ],
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "update_sip", username: "nobody" }]);
    expect(await passwordOf("nobody")).toBeUndefined();
  });

  it("reports all problems of an input together, without an upstream request", async () => {
    const input = { username: "", password: " made-up" };
    const { data } = await gateway.execute(UpdateSipEndpointDocument, { input });
    expect(data.updateSipEndpoint).toMatchObject({
      sipEndpoint: null,
      password: null,
      userErrors: [
        { code: "INVALID_USERNAME", path: ["username"] },
        { code: "INVALID_PASSWORD", path: ["password"] },
      ],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
