import { afterEach, describe, expect, it } from "@jest/globals";
import { answerDocument, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, startClient } from "../../support/emulator/emulator-client.js";

afterEach(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

/** Simulates a call and returns the webhook that the answer URL received, with the call id of the response. */
async function webhookOf(request: object) {
  const client = await startClient();
  const { url, requests } = await answerDocument([{ action: "hangup" }]);
  const before = Date.now();
  const { body } = await client.dial(url, request);
  expect(requests).toHaveLength(1);
  const { method, contentType, body: text } = requests[0] ?? { body: "" };
  expect(method).toBe("POST");
  const isNow = (time: unknown) => Number(time) >= before && Number(time) <= Date.now();
  return { contentType, text, callId: String(body.callId), isNow };
}

describe("the webhook of a call", () => {
  it.each([
    ["by default", {}],
    ["with the format strings", { webhook: "strings" }],
  ])("has phone numbers as strings %s", async (_when, request) => {
    const { contentType, text, callId, isNow } = await webhookOf(request);
    const { time, ...rest } = JSON.parse(text);
    expect(contentType).toBe("application/json");
    expect(rest).toEqual({ action: "inbound", from: "919999900000", to: "914471000000", cmiuuid: callId });
    expect([typeof time, isNow(time)]).toEqual(["number", true]);
  });

  it("has phone numbers as numbers, and no action, as in the older samples", async () => {
    const { contentType, text, callId, isNow } = await webhookOf({ webhook: "numbers" });
    const { time, ...rest } = JSON.parse(text);
    expect(contentType).toBe("application/json");
    expect(rest).toEqual({ from: 919999900000, to: 914471000000, cmiuuid: callId });
    expect(isNow(time)).toBe(true);
  });

  it("can be a form", async () => {
    const { contentType, text, callId, isNow } = await webhookOf({ webhook: "form" });
    const { time, ...rest } = Object.fromEntries(new URLSearchParams(text));
    expect(contentType).toBe("application/x-www-form-urlencoded");
    expect(rest).toEqual({ action: "inbound", from: "919999900000", to: "914471000000", cmiuuid: callId });
    expect(isNow(time)).toBe(true);
  });

  it("has another call id for each call", async () => {
    const client = await startClient();
    const { url } = await answerDocument([{ action: "hangup" }]);
    const [one, other] = [await client.dial(url), await client.dial(url)];
    expect(one.body.callId).not.toBe(other.body.callId);
  });
});
