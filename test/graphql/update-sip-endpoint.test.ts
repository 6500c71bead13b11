import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SipEndpointDocument, UpdateSipEndpointDocument } from "../generated/graphql.js";
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
    const { data } = await gateway.ask(SipEndpointDocument, { username });
    return data.sipEndpoint?.password;
  }

  it("sets the password that is given", async () => {
    const input = { username: "alice", password: "made-up-2" };
    const { data, errors } = await gateway.ask(UpdateSipEndpointDocument, { input });
    expect(errors).toBeUndefined();
    expect(data.updateSipEndpoint).toEqual({
      sipEndpoint: { username: "alice", sipUri: "sip:alice@sbc.emulator.example" },
      password: "made-up-2",
      userErrors: [],
    });
    expect(await passwordOf("alice")).toBe("made-up-2");
  });

  it.each([
    { username: "alice" },
    { username: "alice", password: null },
  ])("makes a new password for %j", async (input) => {
    const first = await gateway.ask(UpdateSipEndpointDocument, { input });
    const second = await gateway.ask(UpdateSipEndpointDocument, { input });
    const made = [first, second].map(({ data }) => String(data.updateSipEndpoint.password));
    for (const password of made) expect(password).toMatch(/^[A-Za-z2-9]{22}$/);
    expect(made[0]).not.toBe(made[1]);
    expect(await passwordOf("alice")).toBe(made[1]);
  });

  it("answers all fields of the endpoint, from one update_sip and one get_sip", async () => {
    const { data, errors } = await gateway.ask(
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
    expect(await gateway.calls()).toMatchObject([
      { operation: "update_sip", username: "alice" },
      { operation: "get_sip", username: "alice" },
    ]);
  });

  it("asks nothing more for the name and the password", async () => {
    const { errors } = await gateway.ask(
      `mutation { updateSipEndpoint(input: { username: "alice" }) { password sipEndpoint { username password } } }`,
    );
    expect(errors).toBeUndefined();
    expect(await gateway.calls()).toMatchObject([{ operation: "update_sip" }]);
  });

  it("tells that PIOPIY has no endpoint of a name, and makes none", async () => {
    const { data, errors } = await gateway.ask(UpdateSipEndpointDocument, { input: { username: "nobody" } });
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
    expect(await gateway.calls()).toMatchObject([{ operation: "update_sip", username: "nobody" }]);
    expect(await passwordOf("nobody")).toBeUndefined();
  });

  it("tells all mistakes of an input at once, without asking PIOPIY", async () => {
    const input = { username: "", password: " made-up" };
    const { data } = await gateway.ask(UpdateSipEndpointDocument, { input });
    expect(data.updateSipEndpoint).toMatchObject({
      sipEndpoint: null,
      password: null,
      userErrors: [
        { code: "INVALID_USERNAME", path: ["username"] },
        { code: "INVALID_PASSWORD", path: ["password"] },
      ],
    });
    expect(await gateway.calls()).toEqual([]);
  });

  it("answers the made password that PIOPIY has when its answer is lost", async () => {
    await gateway.fail({ operation: "update_sip", kind: "lose-reply" });
    const { data, errors } = await gateway.ask<{ updateSipEndpoint: { password: string } }>(
      'mutation { updateSipEndpoint(input: { username: "alice" }) { password userErrors { code } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.updateSipEndpoint).toMatchObject({ userErrors: [] });
    expect((await gateway.calls()).map(({ operation }) => operation)).toEqual(["update_sip", "get_sip"]);
    expect(data.updateSipEndpoint.password).toMatch(/^[A-Za-z2-9]{22}$/);
    expect(await passwordOf("alice")).toBe(data.updateSipEndpoint.password);
  });
});
