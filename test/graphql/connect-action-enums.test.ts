import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

// Schema libraries confuse the name of an enum value with its internal value, mainly in defaults.
describe("The enum values of Query.connectAction", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  async function write(query: string, variables?: Record<string, unknown>): Promise<string> {
    const { data, errors } = await gateway.execute<{ connectAction: { pcmo: unknown } }>(query, variables);
    expect(errors).toBeUndefined();
    return JSON.stringify(data.connectAction.pcmo);
  }

  const ofValues = `query ($type: ConnectTargetType!, $callType: ConnectCallType!, $ringType: ConnectRingType!) {
    connectAction(input: { call: [{ type: $type, user: "alice" }], callType: $callType, ringType: $ringType }) { pcmo }
  }`;
  const ofInput = "query ($input: ConnectActionInput!) { connectAction(input: $input) { pcmo } }";
  const withDefaults = `query ($callType: ConnectCallType! = AUDIO, $ringType: ConnectRingType! = SINGLE) {
    connectAction(input: { call: [{ user: "alice" }], callType: $callType, ringType: $ringType }) { pcmo }
  }`;

  it("build the same document when omitted, as literals, as variables and inside a variable", async () => {
    const documents = [
      await write('{ connectAction(input: { call: [{ user: "alice" }] }) { pcmo } }'),
      await write(
        '{ connectAction(input: { call: [{ type: SIP, user: "alice" }], callType: AUDIO, ringType: SINGLE }) { pcmo } }',
      ),
      await write(ofValues, { type: "SIP", callType: "AUDIO", ringType: "SINGLE" }),
      await write(ofInput, { input: { call: [{ user: "alice" }] } }),
      await write(ofInput, {
        input: { call: [{ type: "SIP", user: "alice" }], callType: "AUDIO", ringType: "SINGLE" },
      }),
      await write(withDefaults),
    ];
    expect(new Set(documents)).toEqual(
      new Set([
        '[{"action":"connect","duration":5400,"timeout":40,"loop":1,"call_type":"audio","call":[{"type":"sip","user":"alice"}]}]',
      ]),
    );
  });

  it.each([
    ["AUDIO", "SINGLE", '"call_type":"audio","call"'],
    ["VIDEO", "SINGLE", '"call_type":"video","call"'],
    ["AUDIO", "GROUP", '"call_type":"audio","ring_type":"group","call"'],
    ["VIDEO", "GROUP", '"call_type":"video","ring_type":"group","call"'],
  ])("%s and %s are written as %s", async (callType, ringType, expected) => {
    const literal = await write(
      `{ connectAction(input: { call: [{ user: "alice" }], callType: ${callType}, ringType: ${ringType} }) { pcmo } }`,
    );
    expect(literal).toContain(expected);
    expect(await write(ofValues, { type: "SIP", callType, ringType })).toBe(literal);
    expect(await write(ofInput, { input: { call: [{ user: "alice" }], callType, ringType } })).toBe(literal);
  });

  it.each([
    { callType: "audio" },
    { callType: "FAX" },
    { callType: null },
    { ringType: "group" },
    { ringType: 0 },
    { call: [{ user: "alice", type: "sip" }] },
  ])("are rejected by GraphQL as %j", async (invalid) => {
    const { data, errors } = await gateway.execute(ofInput, {
      input: { call: [{ user: "alice" }], ...invalid },
    });
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", retryable: false } }]);
  });
});
