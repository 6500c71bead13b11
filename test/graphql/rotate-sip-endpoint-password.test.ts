import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { RotateSipEndpointPasswordDocument, SipEndpointDocument } from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Mutation.rotateSipEndpointPassword", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1" }] }));

  const rotate = (username: string) =>
    gateway.execute(RotateSipEndpointPasswordDocument, { input: { username } });
  const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);

  async function passwordOf(username: string): Promise<string | null | undefined> {
    const { data } = await gateway.execute(SipEndpointDocument, { username });
    return data.sipEndpoint?.password;
  }

  it("sets a new generated password each time, and returns it", async () => {
    const first = await rotate("alice");
    const second = await rotate("alice");
    expect([first.errors, second.errors]).toEqual([undefined, undefined]);
    const passwords = [first, second].map(({ data }) => data.rotateSipEndpointPassword.password);
    for (const password of passwords) expect(password).toMatch(/^[A-Za-z2-9]{22}$/);
    expect(passwords[0]).not.toBe(passwords[1]);
    expect(second.data.rotateSipEndpointPassword).toEqual({
      sipEndpoint: { id: idOf("alice"), username: "alice", sipUri: "sip:alice@sbc.emulator.example" },
      password: passwords[1],
      userErrors: [],
    });
    expect(await passwordOf("alice")).toBe(passwords[1]);
  });

  it("sends one update_sip for the username and the password", async () => {
    const { errors } = await gateway.execute(
      'mutation { rotateSipEndpointPassword(input: { username: "alice" }) { password sipEndpoint { id username password } } }',
    );
    expect(errors).toBeUndefined();
    expect(await operations()).toEqual(["update_sip"]);
  });

  it("returns the password that PIOPIY has stored when its response is lost", async () => {
    await gateway.addFault({ operation: "update_sip", kind: "lose-reply" });
    const { data, errors } = await gateway.execute<{ rotateSipEndpointPassword: { password: string } }>(
      'mutation { rotateSipEndpointPassword(input: { username: "alice" }) { password userErrors { code } } }',
    );
    expect(errors).toBeUndefined();
    expect(data.rotateSipEndpointPassword).toMatchObject({ userErrors: [] });
    expect(await operations()).toEqual(["update_sip", "get_sip"]);
    expect(await passwordOf("alice")).toBe(data.rotateSipEndpointPassword.password);
  });

  it("returns the password even if the details of the endpoint cannot be read", async () => {
    await gateway.addFault({ operation: "get_sip", kind: "status", times: 9 });
    const { data, errors } = await rotate("alice");
    expect(data.rotateSipEndpointPassword).toMatchObject({
      sipEndpoint: { username: "alice", sipUri: null },
      password: expect.stringMatching(/^[A-Za-z2-9]{22}$/),
    });
    expect(errors).toMatchObject([
      {
        path: ["rotateSipEndpointPassword", "sipEndpoint", "sipUri"],
        extensions: { code: "UPSTREAM_UNAVAILABLE" },
      },
    ]);
  });

  it("returns SIP_ENDPOINT_NOT_FOUND for an unknown username, and creates nothing", async () => {
    const { data, errors } = await rotate("nobody");
    expect(errors).toBeUndefined();
    expect(data.rotateSipEndpointPassword).toEqual({
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
    expect(await operations()).toEqual(["update_sip"]);
    expect(await passwordOf("nobody")).toBeUndefined();
  });

  it.each([
    ["empty", ""],
    ["with a control character", "a\u0007b"],
    ["of 257 bytes", "a".repeat(257)],
  ])("rejects a username that is %s, without an upstream request", async (_, username) => {
    const { data } = await rotate(username);
    expect(data.rotateSipEndpointPassword.userErrors).toMatchObject([
      { code: "INVALID_USERNAME", path: ["username"] },
    ]);
    expect(await operations()).toEqual([]);
  });
});
