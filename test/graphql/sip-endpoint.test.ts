import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SipEndpointDocument } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Query.sipEndpoint", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1" }] }));

  it("answers all fields of an endpoint from one get_sip", async () => {
    const { status, data, errors } = await gateway.ask(SipEndpointDocument, { username: "alice" });
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(data.sipEndpoint).toEqual({
      username: "alice",
      password: "made-up-1",
      connectUrl: "sbc.emulator.example",
      sipUri: "sip:alice@sbc.emulator.example",
      audio: true,
      video: true,
      type: "SIP",
    });
    expect(await gateway.calls()).toMatchObject([{ operation: "get_sip", username: "alice" }]);
  });

  it("tells apart endpoints that can take audio, video, both or neither, and lines of the telephone network", async () => {
    const drafts = [
      { username: "both", audio: true, video: true, type: "SIP" },
      { username: "audio", audio: true, video: false, type: "SIP" },
      { username: "video", audio: false, video: true, type: "SIP" },
      { username: "neither", audio: false, video: false, type: "PSTN" },
    ];
    await gateway.reset({ endpoints: drafts });
    for (const draft of drafts) {
      const { data } = await gateway.ask(SipEndpointDocument, { username: draft.username });
      expect(data.sipEndpoint).toMatchObject(draft);
    }
  });

  it.each([
    "nobody",
    "Alice",
    "alice ",
    "ALICE",
  ])("answers null for %j, which PIOPIY does not have", async (username) => {
    const { data, errors } = await gateway.ask(SipEndpointDocument, { username });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ sipEndpoint: null });
    expect(await gateway.calls()).toMatchObject([{ operation: "get_sip", username }]);
  });

  it("refuses an empty username without asking PIOPIY", async () => {
    const { status, data, errors } = await gateway.ask(SipEndpointDocument, { username: "" });
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
    expect(await gateway.calls()).toEqual([]);
  });

  it("takes a whole number for a username, as every ID does", async () => {
    await gateway.reset({ endpoints: [{ username: "1001" }] });
    const { data } = await gateway.ask<{ sipEndpoint: { username: string } }>(
      "{ sipEndpoint(username: 1001) { username } }",
    );
    expect(data.sipEndpoint).toEqual({ username: "1001" });
  });
});

describe("Query.sipEndpoint understands PIOPIY", () => {
  const spellings = ["boolean", "string"].flatMap((booleans) =>
    ["cmi", "number"].flatMap((codes) => ["body", "status"].map((errors) => ({ booleans, codes, errors }))),
  );

  it.each(
    spellings,
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
      const known = await gateway.ask(SipEndpointDocument, { username: "alice" });
      expect(known.data.sipEndpoint).toMatchObject({ username: "alice", audio: true, video: false });
      const unknown = await gateway.ask(SipEndpointDocument, { username: "nobody" });
      expect(unknown.data).toEqual({ sipEndpoint: null });
      expect([known.errors, unknown.errors]).toEqual([undefined, undefined]);
    } finally {
      await gateway.close();
    }
  });
});
