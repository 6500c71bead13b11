import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SipEndpointDocument } from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Query.sipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1" }] }));

  it("returns all fields of an endpoint from one get_sip", async () => {
    const { status, data, errors } = await gateway.execute(SipEndpointDocument, { username: "alice" });
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(data.sipEndpoint).toEqual({
      id: idOf("alice"),
      username: "alice",
      password: "made-up-1",
      connectUrl: "sbc.emulator.example",
      sipUri: "sip:alice@sbc.emulator.example",
      audio: true,
      video: true,
      type: "SIP",
    });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username: "alice" }]);
  });

  it("distinguishes endpoints with audio, video, both or neither, and lines of the telephone network", async () => {
    const drafts = [
      { username: "both", audio: true, video: true, type: "SIP" },
      { username: "audio", audio: true, video: false, type: "SIP" },
      { username: "video", audio: false, video: true, type: "SIP" },
      { username: "neither", audio: false, video: false, type: "PSTN" },
    ];
    await gateway.reset({ endpoints: drafts });
    for (const draft of drafts) {
      const { data } = await gateway.execute(SipEndpointDocument, { username: draft.username });
      expect(data.sipEndpoint).toMatchObject(draft);
    }
  });

  it.each([
    "nobody",
    "Alice",
    "alice ",
    "ALICE",
  ])("returns null for the unknown username %j", async (username) => {
    const { data, errors } = await gateway.execute(SipEndpointDocument, { username });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ sipEndpoint: null });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username }]);
  });

  it("rejects an empty username without an upstream request", async () => {
    const { status, data, errors } = await gateway.execute(SipEndpointDocument, { username: "" });
    expect(status).toBe(200);
    expect(data).toEqual({ sipEndpoint: null });
    expect(errors).toEqual([
      expect.objectContaining({
        path: ["sipEndpoint"],
        extensions: {
          code: "BAD_USER_INPUT",
          retryable: false,
          argumentName: "username",
          requestId: expect.any(String),
        },
      }),
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("accepts a whole number as a username, as for every ID", async () => {
    await gateway.reset({ endpoints: [{ username: "1001" }] });
    const { data } = await gateway.execute<{ sipEndpoint: { username: string } }>(
      "{ sipEndpoint(username: 1001) { username } }",
    );
    expect(data.sipEndpoint).toEqual({ username: "1001" });
  });
});

describe("Query.sipEndpoint parses PIOPIY's response", () => {
  const formats = ["boolean", "string"].flatMap((booleans) =>
    ["cmi", "number"].flatMap((codes) => ["body", "status"].map((errors) => ({ booleans, codes, errors }))),
  );

  it.each(
    formats,
  )("with booleans as $booleans, codes as $codes and errors in the $errors", async (spelling) => {
    const gateway = await startGateway({
      emulator: {
        EMULATOR_BOOLEANS: spelling.booleans,
        EMULATOR_CODES: spelling.codes,
        EMULATOR_ERRORS: spelling.errors,
      },
    });
    try {
      await gateway.reset({ endpoints: [{ username: "alice", video: false }] });
      const known = await gateway.execute(SipEndpointDocument, { username: "alice" });
      expect(known.data.sipEndpoint).toMatchObject({ username: "alice", audio: true, video: false });
      const unknown = await gateway.execute(SipEndpointDocument, { username: "nobody" });
      expect(unknown.data).toEqual({ sipEndpoint: null });
      expect([known.errors, unknown.errors]).toEqual([undefined, undefined]);
    } finally {
      await gateway.close();
    }
  });
});
