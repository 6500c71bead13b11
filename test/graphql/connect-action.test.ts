import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { ConnectActionDocument, type ConnectActionInput } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

/** The two samples of PIOPIY's documentation, with double quotes in place of single quotes, as JSON requires. */
const group = `[
        {
            "action": "connect",
            "duration": 600,
            "timeout": 20,
            "from": 914471000000,
            "loop": 1,
            "call_type": "audio",
            "ring_type": "group",
            "call": [
                {
                    "type": "sip",
                    "user": "YOUR_USERNAME"
                },
                {
                    "type": "sip",
                    "user": "YOUR_USERNAME_1"
                }
            ]
        }
    ]`;
const single = `[
        {
            "action": "connect",
            "duration": 600,
            "timeout": 20,
            "from": 914471000000,
            "loop": 1,
            "call_type": "audio",
            "call": [
                {
                    "type": "sip",
                    "user": "YOUR_USERNAME"
                }
            ]
        }
    ]`;
const groupInput: ConnectActionInput = {
  call: [{ user: "YOUR_USERNAME" }, { user: "YOUR_USERNAME_1" }],
  ringType: "GROUP",
  from: "914471000000",
  timeout: 20,
  duration: 600,
};
const singleInput: ConnectActionInput = {
  call: [{ user: "YOUR_USERNAME" }],
  from: "+914471000000",
  timeout: 20,
  duration: 600,
};

describe("Query.connectAction", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  it.each([
    ["group", groupInput, group],
    ["single", singleInput, single],
  ])("builds PIOPIY's sample of a %s letter for letter", async (_name, input, sample) => {
    const { status, data, errors } = await gateway.execute(ConnectActionDocument, { input });
    expect(status).toBe(200);
    expect(errors).toBeUndefined();
    expect(data.connectAction.userErrors).toEqual([]);
    expect(JSON.stringify(data.connectAction.pcmo)).toBe(JSON.stringify(JSON.parse(sample)));
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("uses defaults for omitted fields, and sends no upstream request", async () => {
    const input = { call: [{ user: "nobody" }] };
    const { data } = await gateway.execute(ConnectActionDocument, { input });
    expect(JSON.stringify(data.connectAction.pcmo)).toBe(
      '[{"action":"connect","duration":5400,"timeout":40,"loop":1,"call_type":"audio","call":[{"type":"sip","user":"nobody"}]}]',
    );
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("builds a video call to several endpoints one after another, without a caller id", async () => {
    const input: ConnectActionInput = {
      call: [{ user: "bob" }, { user: "alice" }],
      callType: "VIDEO",
      ringType: "SINGLE",
      from: null,
      loop: 3,
    };
    const { data } = await gateway.execute(ConnectActionDocument, { input });
    expect(JSON.stringify(data.connectAction.pcmo)).toBe(
      '[{"action":"connect","duration":5400,"timeout":40,"loop":3,"call_type":"video",' +
        '"call":[{"type":"sip","user":"bob"},{"type":"sip","user":"alice"}]}]',
    );
  });

  it.each(["a@b", "a/b", "jürgen", "😀", "__proto__", '"quoted"', "-"])("rings the user %j", async (user) => {
    const { data } = await gateway.execute(ConnectActionDocument, { input: { call: [{ user }] } });
    expect(data.connectAction.pcmo).toEqual([expect.objectContaining({ call: [{ type: "sip", user }] })]);
  });

  it("accepts a whole number as a user, and writes it as a string", async () => {
    const { data } = await gateway.execute<{ connectAction: { pcmo: unknown } }>(
      "{ connectAction(input: { call: { user: 1001 } }) { pcmo } }",
    );
    expect(data.connectAction.pcmo).toMatchObject([{ call: [{ type: "sip", user: "1001" }] }]);
  });
});

describe("Query.connectAction with PCMO_TARGETS_KEY=connect", () => {
  it.each([
    ["group", groupInput, group],
    ["single", singleInput, single],
  ])("builds the %s with the key of PIOPIY's SDK", async (_name, input, sample) => {
    const gateway = await startGateway({ gateway: { PCMO_TARGETS_KEY: "connect" } });
    try {
      const { data } = await gateway.execute(ConnectActionDocument, { input });
      const expected = sample.replace('"call":', '"connect":');
      expect(JSON.stringify(data.connectAction.pcmo)).toBe(JSON.stringify(JSON.parse(expected)));
    } finally {
      await gateway.close();
    }
  });
});
