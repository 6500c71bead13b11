import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { CreateSipEndpointDocument, SipEndpointDocument } from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const GENERATED = /^[A-HJ-NP-Za-kmnp-z2-9]{22}$/;

describe("Mutation.createSipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1" }] }));

  it("creates an endpoint with the password of the input", async () => {
    const input = { username: "erin", password: "made-up 2" };
    const { status, data, errors } = await gateway.execute(CreateSipEndpointDocument, { input });
    expect(status).toBe(200);
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toEqual({
      sipEndpoint: { id: idOf("erin"), username: "erin", sipUri: "sip:erin@sbc.emulator.example" },
      password: "made-up 2",
      userErrors: [],
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "add_sip", username: "erin" }]);
    const read = await gateway.execute(SipEndpointDocument, { username: "erin" });
    expect(read.data.sipEndpoint).toMatchObject({ username: "erin", password: "made-up 2" });
  });

  it.each([
    { username: "erin" },
    { username: "erin", password: null },
  ])("generates a password for %j, which PIOPIY stores", async (input) => {
    const { data } = await gateway.execute(CreateSipEndpointDocument, { input });
    const { password, userErrors } = data.createSipEndpoint;
    expect(userErrors).toEqual([]);
    expect(password).toMatch(GENERATED);
    const read = await gateway.execute(SipEndpointDocument, { username: "erin" });
    expect(read.data.sipEndpoint?.password).toBe(password);
  });

  it("generates 200 different passwords of 22 unambiguous letters and digits", async () => {
    const made: string[] = [];
    for (let round = 0; round < 4; round++) {
      const fields = Array.from(
        { length: 50 },
        (_, index) =>
          `c${index}: createSipEndpoint(input: { username: "user-${round}-${index}" }) { password }`,
      );
      const { data } = await gateway.execute<Record<string, { password: string }>>(
        `mutation { ${fields.join(" ")} }`,
      );
      made.push(...Object.values(data).map(({ password }) => password));
    }
    expect(new Set(made).size).toBe(200);
    expect(made.filter((password) => !GENERATED.test(password))).toEqual([]);
    expect(new Set(made.join(""))).toEqual(
      new Set("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"),
    );
  });

  it("returns all fields of the new endpoint from one add_sip", async () => {
    const { data, errors } = await gateway.execute(
      `mutation {
        createSipEndpoint(input: { username: "erin", password: "made-up-2" }) {
          sipEndpoint { username password connectUrl sipUri audio video type }
          password
          userErrors { code }
        }
      }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      createSipEndpoint: {
        sipEndpoint: {
          username: "erin",
          password: "made-up-2",
          connectUrl: "sbc.emulator.example",
          sipUri: "sip:erin@sbc.emulator.example",
          audio: true,
          video: true,
          type: "SIP",
        },
        password: "made-up-2",
        userErrors: [],
      },
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "add_sip", username: "erin" }]);
  });

  it("returns USERNAME_TAKEN for an existing username, and does not change its endpoint", async () => {
    const input = { username: "alice", password: "made-up-2" };
    const { data, errors } = await gateway.execute(CreateSipEndpointDocument, { input });
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toEqual({
      sipEndpoint: null,
      password: null,
      userErrors: [
        {
          code: "USERNAME_TAKEN",
          message:
            'The SIP endpoint "alice" already exists. Choose another username, or set the password with `updateSipEndpoint`.',
          path: ["username"],
        },
      ],
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "add_sip", username: "alice" }]);
    const read = await gateway.execute(SipEndpointDocument, { username: "alice" });
    expect(read.data.sipEndpoint?.password).toBe("made-up-1");
  });

  it("distinguishes usernames by case", async () => {
    const { data } = await gateway.execute(CreateSipEndpointDocument, { input: { username: "Alice" } });
    expect(data.createSipEndpoint).toMatchObject({ sipEndpoint: { username: "Alice" }, userErrors: [] });
  });

  it("reports all problems of an input together, without an upstream request", async () => {
    const input = { username: "not a name", password: "" };
    const { data, errors } = await gateway.execute(CreateSipEndpointDocument, { input });
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toEqual({
      sipEndpoint: null,
      password: null,
      userErrors: [
        { code: "INVALID_USERNAME", message: expect.stringMatching(/1 to 64/), path: ["username"] },
        { code: "INVALID_PASSWORD", message: expect.stringMatching(/1 to 128/), path: ["password"] },
      ],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("succeeds when the response is lost, since a read shows that the endpoint was created", async () => {
    await gateway.addFault({ operation: "add_sip", kind: "lose-reply" });
    const input = { username: "erin", password: "made-up-2" };
    const { data, errors } = await gateway.execute(CreateSipEndpointDocument, { input });
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toEqual({
      sipEndpoint: { id: idOf("erin"), username: "erin", sipUri: "sip:erin@sbc.emulator.example" },
      password: "made-up-2",
      userErrors: [],
    });
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual([
      "add_sip",
      "get_sip",
    ]);
    const read = await gateway.execute(SipEndpointDocument, { username: "erin" });
    expect(read.data.sipEndpoint).toMatchObject({ username: "erin", password: "made-up-2" });
  });
});
